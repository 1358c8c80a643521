//! Making a bucket, and looking whether it is as it was made.

use jackfield_plugin_sdk::{Failure, Observed, Outcome, storage};

use crate::{
    BAD_REGION, BAD_REQUEST, BUCKET_TAKEN, FAILED,
    owner::{self, Standing, Tag},
    problem::Problem,
    removal,
    s3::Bucket,
    settings::Settings,
    xml,
};

/// Makes the bucket of a tenant, or goes on with what an earlier call began.
pub(crate) fn make(request: &storage::Request, settings: &Settings) -> Result<storage::Outcome, Failure> {
    let (bucket, wanted) = checked(request, settings)?;
    // The vendor says whether the bucket is of this account: its tags alone could be anybody's.
    create(&bucket).map_err(|problem| problem.failure(false))?;
    // From here on there is a bucket, so what goes wrong leaves something behind.
    let standing = bucket.standing(&request.tenant.id).map_err(|problem| problem.failure(true))?;
    let (new, present) = match standing {
        Standing::HalfMade => (true, Vec::new()),
        // Labels have no place where there are no tags: nothing is left to write.
        Standing::Ours(present) => (false, present.unwrap_or_else(|| wanted.clone())),
        Standing::Foreign(why) => return Err(Failure::rejected(BUCKET_TAKEN, format!("the bucket {} is there already: {why}", bucket.name))),
        Standing::NoBucket => return Err(Failure::unavailable(FAILED, format!("the bucket {} vanished while it was made", bucket.name))),
    };
    match equip(&bucket, &wanted, &present, new) {
        Ok(()) => Ok(Outcome::Done(receipt(request, settings))),
        // It was empty a moment ago and is of no use.
        Err(problem) if new && problem.is_permanent() => Err(problem.failure(!matches!(removal::discard(&bucket), Ok(true)))),
        Err(problem) => Err(problem.failure(true)),
    }
}

/// Says what is there.
pub(crate) fn look(request: &storage::Request, settings: &Settings) -> Result<storage::Observed, Failure> {
    let (bucket, wanted) = checked(request, settings)?;
    let found = || -> Result<storage::Observed, Problem> {
        let receipt = receipt(request, settings);
        Ok(match bucket.standing(&request.tenant.id)? {
            Standing::NoBucket => Observed::Absent,
            Standing::Foreign(why) => Observed::Foreign(format!("the bucket {}: {why}", bucket.name)),
            Standing::HalfMade => Observed::Drifted(receipt),
            Standing::Ours(ref present) if present.as_ref().is_none_or(|present| covers(present, &wanted)) && bucket.is_set_up()? => {
                Observed::Ours(receipt)
            }
            Standing::Ours(_) => Observed::Drifted(receipt),
        })
    };
    found().map_err(|problem| problem.failure(false))
}

fn checked<'a>(request: &'a storage::Request, settings: &'a Settings) -> Result<(Bucket<'a>, Vec<Tag>), Failure> {
    if let Some(served) = &settings.tenant_regions
        && !served.contains(&request.tenant.region)
    {
        return Err(Failure::rejected(
            BAD_REGION,
            format!("the region {:?} is not served; expected one of {}", request.tenant.region, served.join(", ")),
        ));
    }
    check_name(&request.bucket)?;
    Ok((Bucket { name: &request.bucket, settings }, owner::wanted(request)?))
}

/// The rules for names of buckets.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let outer = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_address = name.split('.').all(|part| part.bytes().all(|byte| byte.is_ascii_digit())) && name.contains('.');
    let good = (3..=63).contains(&name.len()) && name.bytes().all(fits) && outer(name.bytes().next()) && outer(name.bytes().last());
    if good && !name.contains("..") && !is_address {
        return Ok(());
    }
    let shown: String = name.chars().take(63).collect();
    let expected = "expected 3 to 63 characters of [a-z0-9.-] that begin and end with a letter or digit, and no address";
    Err(Failure::rejected(BAD_REQUEST, format!("{shown:?} cannot be the name of a bucket: {expected}")))
}

fn create(bucket: &Bucket<'_>) -> Result<(), Problem> {
    let place = bucket.settings.location().map(|region| xml::document("CreateBucketConfiguration", &xml::leaf("LocationConstraint", region)));
    match bucket.put("", place) {
        Err(problem) if problem.says(&["BucketAlreadyOwnedByYou"]) => Ok(()),
        Err(problem) if problem.says(&["BucketAlreadyExists"]) && bucket.settings.single_account => Ok(()),
        made => made,
    }
}

fn equip(bucket: &Bucket<'_>, wanted: &[Tag], present: &[Tag], new: bool) -> Result<(), Problem> {
    if !covers(present, wanted) {
        bucket.own(wanted, present)?;
    }
    bucket.set_up(new)
}

fn covers(present: &[Tag], wanted: &[Tag]) -> bool {
    wanted.iter().all(|tag| present.contains(tag))
}

fn receipt(request: &storage::Request, settings: &Settings) -> storage::Receipt {
    storage::Receipt {
        bucket: request.bucket.clone(),
        region: settings.region.clone(),
        provider: settings.provider.clone(),
        owner: request.tenant.id.clone(),
    }
}
