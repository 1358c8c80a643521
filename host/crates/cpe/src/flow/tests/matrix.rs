//! Every way a device can be wrong, on the first try, after a retry and after a restart, with both data models: nothing is called provisioned that is not, and
//! nothing is called wrong that is right.

use super::{
    device::{Device, Wrong},
    world::{Setup, World},
};

#[tokio::test]
async fn nothing_is_provisioned_that_is_not_and_nothing_is_wrong_that_is_right() {
    for root in ["Device.", "InternetGatewayDevice."] {
        for (wrong, expected) in [
            (Wrong::Nothing, "provisioned"),
            (Wrong::Rewrites, "provisioned"),
            (Wrong::LiesOnce, "provisioned"),
            (Wrong::AppliesLater, "provisioned"),
            (Wrong::AppliesAtRestart, "provisioned"),
            (Wrong::NeverApplies, "held"),
            (Wrong::Lies, "held"),
            (Wrong::LiesAbout("Config.P5"), "held"),
            (Wrong::Lacks(vec!["Config.P1"]), "held"),
            (Wrong::Refuses(9003, "Invalid arguments", None), "held"),
            (Wrong::Refuses(9002, "Internal error", None), "held"),
            (Wrong::LeavesDuring { method: "SetParameterValues", done: false }, "provisioned"),
            (Wrong::LeavesDuring { method: "SetParameterValues", done: true }, "provisioned"),
            (Wrong::LeavesDuring { method: "GetParameterValues", done: true }, "provisioned"),
        ] {
            for reboot in [false, true] {
                check(root, &wrong, reboot, expected).await;
            }
        }
    }
}

async fn check(root: &str, wrong: &Wrong, reboot: bool, expected: &str) {
    let setup = Setup {
        builder: std::sync::Arc::new(move |request| {
            let mut configuration = super::story::configuration(request);
            configuration["reboot"] = reboot.into();
            Ok(configuration)
        }),
        ..Setup::default()
    };
    let world = World::new(setup).await;
    let mut device = Device::new("S1", root).with(wrong.clone());
    let told = world.provision(&mut device).await;
    let case = format!("{root} {wrong:?} reboot {reboot}");
    assert_eq!(world.state_of(&device).await, expected, "{case}\n{told}");
    let right = (1..=7).all(|number| device.value(&format!("Config.P{number}")) == format!("v{number}"));
    assert_eq!(right, expected == "provisioned", "{case}\n{told}");
    let refused = matches!(wrong, Wrong::Refuses(..));
    let result = if expected == "provisioned" {
        "success"
    } else if refused {
        "config_push_failed"
    } else {
        "verification_failed"
    };
    assert!(told.contains(&format!("cpe.provision.count{{result={result}}}")), "{case}\n{told}");
    if matches!(wrong, Wrong::LiesAbout(_)) {
        assert!(told.contains(&format!("{root}Config.P5)")), "{case}\n{told}");
    }
}

#[tokio::test]
async fn what_a_device_acknowledged_without_being_heard_is_not_sent_twice() {
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S1", "Device.").with(Wrong::LeavesDuring { method: "SetParameterValues", done: true });
    let told = world.provision(&mut device).await;
    assert!(told.contains("result=success"), "{told}");
    assert_eq!(device.asked, ["SetParameterValues", "GetParameterValues"]);
    let links: Vec<_> = world.ground.spans.spans().iter().map(|span| span.links.len()).collect();
    // The first session is the root of the run; the second is linked to it.
    assert_eq!(links, [1]);
}

#[tokio::test]
async fn secrets_do_not_go_to_a_device_that_has_not_proved_who_it_is() {
    for proof in [crate::acs::Proof::Shared, crate::acs::Proof::None] {
        let world = World::new(Setup { proof, ..Setup::default() }).await;
        let mut device = Device::new("S1", "Device.");
        let told = world.provision(&mut device).await;
        assert!(told.contains("result=config_push_failed") && told.contains("has not proved who it is"), "{told}");
        assert!(device.sent.is_empty() && device.asked.is_empty());
    }
}

#[tokio::test]
async fn a_fleet_that_shares_its_credential_gets_everything_that_is_no_secret() {
    let builder = |request: &serde_json::Value| {
        let mut configuration = super::story::configuration(request);
        configuration["assignments"].as_array_mut().unwrap().pop();
        Ok(configuration)
    };
    for (allow_unproven, length) in [(false, 0), (true, 24)] {
        let options = crate::flow::Options { allow_unproven, ..Setup::default().options };
        let setup = Setup { proof: crate::acs::Proof::Shared, builder: std::sync::Arc::new(builder), options, ..Setup::default() };
        let world = World::new(setup).await;
        let mut device = Device::new("S1", "Device.");
        let told = world.provision(&mut device).await;
        assert!(told.contains("result=success"), "{told}");
        assert_eq!(device.value("ManagementServer.ConnectionRequestPassword").len(), length);
    }
}
