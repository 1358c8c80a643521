//! What is read of a profile, and what of it is rejected.

use super::*;
use crate::testing;

fn profile() -> ServiceProfile {
    let profile = ServiceProfile { wifi_bands: vec!["5GHz".into()], ..ServiceProfile::default() };
    let mut profile = profile.with("name", "abc").with("port", "7");
    profile.settings.push(Setting::secret("key", "h"));
    profile
}

#[test]
fn settings_are_read_within_bounds() {
    let profile = profile();
    assert_eq!((profile.has_band("5GHz"), profile.has_band("5")), (true, false));
    assert_eq!((profile.number("port", 7..=7, "bad"), profile.number("none", 1..=9, "bad")), (Ok(Some(7)), Ok(None)));
    assert_eq!(profile.required_number("port", 1..=7, "bad"), Ok(7));
    assert_eq!(profile.length("name", 3..=3, "bad"), profile.required("name", "bad"));
    assert_eq!(profile.length("key", 8..=63, "bad"), Ok(&SettingValue::Secret("h".into())));
}

#[test]
fn what_is_missing_or_out_of_bounds_is_rejected_with_the_code() {
    let profile = profile();
    for (reason, said) in [
        (testing::rejected(profile.required("none", "bad")), "no setting \"none\""),
        (testing::rejected(profile.length("none", 1..=2, "bad")), "no setting \"none\""),
        (testing::rejected(profile.length("name", 1..=2, "bad")), "\"name\" has 3 bytes: expected 1 to 2 bytes"),
        (testing::rejected(profile.length("name", 4..=5, "bad")), "\"name\" has 3 bytes: expected 4 to 5 bytes"),
        (testing::rejected(profile.number("port", 8..=9, "bad")), "\"port\" is no number from 8 to 9"),
        (testing::rejected(profile.number("name", 1..=9, "bad")), "\"name\" is no number from 1 to 9"),
        (testing::rejected(profile.number("key", 1..=9, "bad")), "\"key\" is no number from 1 to 9"),
        (testing::rejected(profile.required_number("none", 1..=9, "bad")), "no setting \"none\""),
        (testing::rejected(profile.required_number("port", 8..=9, "bad")), "\"port\" is no number from 8 to 9"),
    ] {
        assert_eq!(reason.code, "bad");
        assert!(reason.message.contains(said), "{}", reason.message);
    }
}

#[test]
fn a_setting_is_replaced_and_taken_away() {
    let profile = profile().with("name", "z").without("port");
    assert_eq!((profile.setting("name"), profile.setting("port")), (Some(&SettingValue::Text("z".into())), None));
    assert_eq!(profile.settings.len(), 2);
}
