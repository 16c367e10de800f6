//! Accounts, projects, subscriptions and regions, out of the configuration files of cloud tools.

use std::path::PathBuf;

use cmdai_schema::{AwsProfile, Facts, GcloudConfiguration};

use super::Finder;
use super::reading::{Found, section};

/// Profile and region of AWS, and with `accounts` the account. `named` are profiles that the
/// command names.
pub(super) fn aws(find: &Finder<'_>, facts: &mut Facts, accounts: bool, named: &[String]) {
    facts.aws_keys = find.set("AWS_ACCESS_KEY_ID").is_some();
    for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        if facts.aws_profile.is_none() {
            facts.aws_profile = find.set(name);
            find.from(facts, "aws_profile", facts.aws_profile.is_some(), name);
        }
    }
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        if facts.aws_region.is_none() {
            facts.aws_region = find.set(name);
            find.from(facts, "aws_region", facts.aws_region.is_some(), name);
        }
    }
    facts.aws_account = find.set("AWS_ACCOUNT_ID").filter(|id| is_account(id));
    find.from(
        facts,
        "aws_account",
        facts.aws_account.is_some(),
        "AWS_ACCOUNT_ID",
    );
    let config = find.set("AWS_CONFIG_FILE").map_or_else(
        || find.place.home.join(".aws/config"),
        |path| find.place.cwd.join(path),
    );
    let shared = find.place.home.join(".aws/credentials");
    if facts.aws_profile.is_none() && !facts.aws_keys && find.reading.may() {
        // Without a name the profile `default` is meant, where there are profiles at all.
        if config.exists() || shared.exists() {
            facts.aws_profile = Some("default".to_owned());
            find.from(facts, "aws_profile", true, "no profile is named");
        } else {
            facts.absent.push("aws_profile".to_owned());
        }
    }
    if !accounts {
        return;
    }
    let text = match find.reading.text(&config) {
        Found::Text(text) => text,
        Found::Nothing => {
            if facts.aws_account.is_none() && !facts.aws_keys && !shared.exists() {
                facts.absent.push("aws_account".to_owned());
            }
            return;
        }
        Found::Unknown => return,
    };
    let source = config.display().to_string();
    for name in named {
        facts
            .aws_profiles
            .insert(name.clone(), profile(&text, name));
    }
    let Some(current) = facts.aws_profile.clone() else {
        return;
    };
    let known = profile(&text, &current);
    if facts.aws_region.is_none() && known.region.is_some() {
        facts.aws_region.clone_from(&known.region);
        find.from(facts, "aws_region", true, &source);
    }
    // Keys in the variables go before the profile.
    if facts.aws_account.is_none() && !facts.aws_keys && known.account.is_some() {
        facts.aws_account.clone_from(&known.account);
        find.from(facts, "aws_account", true, &format!("{source} [{current}]"));
    }
    facts.aws_profiles.insert(current, known);
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A profile of the configuration file: the account of the role it takes on, else of its sign-on.
fn profile(text: &str, name: &str) -> AwsProfile {
    let wanted = |title: &str| {
        let title = title.trim();
        title == name && name == "default"
            || title
                .strip_prefix("profile ")
                .is_some_and(|title| title.trim().trim_matches('"') == name)
    };
    let (mut role, mut sign_on, mut region) = (None, None, None);
    for (key, value) in section(text, wanted) {
        match key.as_str() {
            // arn:aws:iam::123456789012:role/name
            "role_arn" => role = value.split(':').nth(4).map(str::to_owned),
            "sso_account_id" | "aws_account_id" => sign_on = Some(value.to_owned()),
            "region" => region = Some(value.to_owned()),
            _ => {}
        }
    }
    AwsProfile {
        account: role.or(sign_on).filter(|id| is_account(id)),
        region,
    }
}

/// The active configuration of `gcloud`, and those that the command names.
pub(super) fn gcloud(find: &Finder<'_>, facts: &mut Facts, named: &[String]) {
    let folder = find.set("CLOUDSDK_CONFIG").map_or_else(
        || find.place.home.join(".config/gcloud"),
        |path| find.place.cwd.join(path),
    );
    let active = match find.set("CLOUDSDK_ACTIVE_CONFIG_NAME") {
        Some(name) => Some(name),
        None => match find.reading.text(&folder.join("active_config")) {
            Found::Text(text) => Some(text.to_string()),
            Found::Nothing => Some("default".to_owned()),
            Found::Unknown => None,
        },
    };
    for name in named {
        if let Some((Some(known), _)) = configuration(find, &folder, name) {
            facts.gcp_configurations.insert(name.clone(), known);
        }
    }
    let found = active.and_then(|name| configuration(find, &folder, &name));
    let told = found.is_some();
    let (known, source) = found.unwrap_or_default();
    let known = known.unwrap_or_default();
    let source = source.display().to_string();
    for (name, variable, value) in [
        ("gcp_project", "CLOUDSDK_CORE_PROJECT", known.project),
        ("gcp_account", "CLOUDSDK_CORE_ACCOUNT", known.account),
        ("gcp_region", "CLOUDSDK_COMPUTE_REGION", known.region),
    ] {
        let set = find.set(variable);
        let source = if set.is_some() {
            variable
        } else {
            source.as_str()
        };
        let value = set.or(value);
        find.from(facts, name, value.is_some(), source);
        if value.is_none() && told {
            facts.absent.push(name.to_owned());
        }
        match name {
            "gcp_project" => facts.gcp_project = value,
            "gcp_account" => facts.gcp_account = value,
            _ => facts.gcp_region = value,
        }
    }
}

/// A configuration, or that there is none. Nothing where it cannot be told.
fn configuration(
    find: &Finder<'_>,
    folder: &std::path::Path,
    name: &str,
) -> Option<(Option<GcloudConfiguration>, PathBuf)> {
    // A name is a file's name and nothing more.
    if name.is_empty() || name.contains('/') || name.len() > 200 {
        return None;
    }
    let path = folder.join("configurations").join(format!("config_{name}"));
    let text = match find.reading.text(&path) {
        Found::Text(text) => text,
        Found::Nothing => return Some((None, path)),
        Found::Unknown => return None,
    };
    let value = |title: &str, key: &str| {
        section(&text, |found| found == title)
            .find(|(found, _)| found == key)
            .map(|(_, value)| value.to_owned())
    };
    let known = GcloudConfiguration {
        project: value("core", "project"),
        account: value("core", "account"),
        region: value("compute", "region"),
    };
    Some((Some(known), path))
}

/// The current subscription of Azure.
pub(super) fn azure(find: &Finder<'_>, facts: &mut Facts) {
    let folder = find.set("AZURE_CONFIG_DIR").map_or_else(
        || find.place.home.join(".azure"),
        |path| find.place.cwd.join(path),
    );
    let path = folder.join("azureProfile.json");
    let text = match find.reading.text(&path) {
        Found::Text(text) => text,
        Found::Nothing => {
            facts.absent.push("azure_subscription".to_owned());
            return;
        }
        Found::Unknown => return,
    };
    let Ok(profile) = serde_json::from_str::<serde_json::Value>(&text) else {
        return;
    };
    let current = profile
        .get("subscriptions")
        .and_then(|list| list.as_array())
        .and_then(|list| {
            list.iter()
                .find(|entry| entry.get("isDefault").and_then(|flag| flag.as_bool()) == Some(true))
        });
    let Some(current) = current else {
        facts.absent.push("azure_subscription".to_owned());
        return;
    };
    let word = |key: &str| {
        current
            .get(key)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    };
    facts.azure_subscription = word("name");
    facts.azure_subscription_id = word("id");
    let source = path.display().to_string();
    find.from(facts, "azure_subscription", true, &source);
    find.from(facts, "azure_subscription_id", true, &source);
}
