//! The Kubernetes versions EKS has, with their support dates, and DescribeClusterVersions.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::core::Core;
use crate::eks::Call;
use crate::pages;
use crate::wire::{ApiError, Code, epoch};

/// A Kubernetes minor version of EKS.
pub(crate) struct MinorVersion {
    pub minor: &'static str,
    released: Date,
    standard_end: Date,
    extended_end: Date,
    platform: &'static str,
}

const fn minor(
    minor: &'static str,
    released: Date,
    standard_end: Date,
    extended_end: Date,
    platform: &'static str,
) -> MinorVersion {
    MinorVersion {
        minor,
        released,
        standard_end,
        extended_end,
        platform,
    }
}

/// Source: EKS user guide, "Kubernetes versions" (1.36 is second-hand). The
/// release is 14 months before the end of standard support; platform versions are samples.
pub(crate) const VERSIONS: &[MinorVersion] = &[
    minor(
        "1.31",
        date(2024, 9, 26),
        date(2025, 11, 26),
        date(2026, 11, 26),
        "eks.52",
    ),
    minor(
        "1.32",
        date(2025, 1, 23),
        date(2026, 3, 23),
        date(2027, 3, 23),
        "eks.45",
    ),
    minor(
        "1.33",
        date(2025, 5, 29),
        date(2026, 7, 29),
        date(2027, 7, 29),
        "eks.38",
    ),
    minor(
        "1.34",
        date(2025, 10, 2),
        date(2026, 12, 2),
        date(2027, 12, 2),
        "eks.28",
    ),
    minor(
        "1.35",
        date(2026, 1, 27),
        date(2027, 3, 27),
        date(2028, 3, 27),
        "eks.18",
    ),
    minor(
        "1.36",
        date(2026, 6, 2),
        date(2027, 8, 2),
        date(2028, 8, 2),
        "eks.9",
    ),
];

fn midnight(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC)
        .map(|zoned| zoned.timestamp())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

impl MinorVersion {
    /// `STANDARD_SUPPORT`, `EXTENDED_SUPPORT` or `UNSUPPORTED` at this time.
    fn status(&self, now: Timestamp) -> &'static str {
        if now < midnight(self.standard_end) {
            "STANDARD_SUPPORT"
        } else if now < midnight(self.extended_end) {
            "EXTENDED_SUPPORT"
        } else {
            "UNSUPPORTED"
        }
    }

    /// Whether standard support has not ended at this time.
    pub(crate) fn in_standard_support(&self, now: Timestamp) -> bool {
        self.status(now) == "STANDARD_SUPPORT"
    }
}

pub(crate) fn find(minor: &str) -> Option<&'static MinorVersion> {
    VERSIONS.iter().find(|version| version.minor == minor)
}

/// The table's versions that the backend serves, oldest first.
pub(crate) fn served(backend: &[String]) -> Vec<String> {
    VERSIONS
        .iter()
        .map(|version| version.minor.to_owned())
        .filter(|minor| backend.contains(minor))
        .collect()
}

pub(crate) fn platform(minor: &str) -> &'static str {
    find(minor).map_or("eks.1", |version| version.platform)
}

/// The number behind `1.`, for comparing minors; `None` for anything else.
pub(crate) fn number(minor: &str) -> Option<u32> {
    minor.strip_prefix("1.")?.parse().ok()
}

/// Whether clusters of this version can be made or updated to: served by the backend and not
/// past extended support. Source: EKS user guide, "Kubernetes versions".
pub(crate) fn available(core: &Core, minor: &str) -> bool {
    find(minor).is_some_and(|version| version.status(core.now()) != "UNSUPPORTED")
        && core
            .config
            .backend
            .served_versions()
            .iter()
            .any(|served| served == minor)
}

/// Source: API reference, DescribeClusterVersions; by default unsupported versions are left out.
pub(crate) fn describe(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let flag = |name: &str| call.query(name) == Some("true");
    let wanted: Vec<&str> = call.query_all("clusterVersions");
    let status = match (call.query("versionStatus"), call.query("status")) {
        (Some(_), Some(_)) => {
            return Err(ApiError::parameter(
                "You cannot use status and versionStatus together.",
            ));
        }
        (Some(status), None) => Some(status.to_owned()),
        (None, Some(status)) => Some(status.to_uppercase().replace('-', "_")),
        (None, None) => None,
    };
    if let Some(status) = &status
        && !["STANDARD_SUPPORT", "EXTENDED_SUPPORT", "UNSUPPORTED"].contains(&status.as_str())
    {
        return Err(ApiError::parameter(format!(
            "The version status {status} is not valid."
        )));
    }
    if let Some(kind) = call.query("clusterType")
        && kind != "eks"
    {
        return Err(ApiError::parameter(format!(
            "The cluster type {kind} is not simulated by the lab; it has eks."
        )));
    }
    if let Some(unknown) = wanted.iter().find(|minor| find(minor).is_none()) {
        return Err(ApiError::parameter(format!(
            "Version {unknown} is not supported for cluster type eks."
        )));
    }
    let now = core.now();
    let mut selected: Vec<&MinorVersion> = VERSIONS
        .iter()
        .rev()
        .filter(|version| {
            let is = version.status(now);
            (wanted.is_empty() || wanted.contains(&version.minor))
                && status.as_ref().is_none_or(|status| status == is)
                && (!flag("defaultOnly") || version.minor == core.default_version)
                && (flag("includeAll")
                    || status.is_some()
                    || !wanted.is_empty()
                    || is != "UNSUPPORTED")
        })
        .collect();
    // The newest first.
    let next = pages::cut(&mut selected, call, Code::InvalidParameter, |version| {
        format!(
            "{:012}",
            u32::MAX - number(version.minor).unwrap_or_default()
        )
    })?;
    let shown: Vec<Value> = selected
        .iter()
        .map(|version| {
            let status = version.status(now);
            json!({
                "clusterVersion": version.minor,
                "clusterType": "eks",
                "defaultPlatformVersion": version.platform,
                "defaultVersion": version.minor == core.default_version,
                "releaseDate": epoch(midnight(version.released)),
                "endOfStandardSupportDate": epoch(midnight(version.standard_end)),
                "endOfExtendedSupportDate": epoch(midnight(version.extended_end)),
                "status": status.to_lowercase().replace('_', "-"),
                "versionStatus": status,
                "kubernetesPatchVersion": core
                    .config
                    .backend
                    .patch_version(version.minor)
                    .unwrap_or_else(|| format!("{}.0", version.minor)),
            })
        })
        .collect();
    Ok(json!({ "clusterVersions": shown, "nextToken": next }))
}
