//! Files as tools write them, and what is read out of them.

use std::fs;

use super::*;

type Variables<'a> = &'a [(&'a str, &'a str)];

fn look(dir: &Path, variables: Variables<'_>, asked: &Asked) -> Facts {
    look_from(dir, dir, variables, asked)
}

fn look_from(cwd: &Path, home: &Path, variables: Variables<'_>, asked: &Asked) -> Facts {
    let variable = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let place = Place {
        cwd,
        home,
        state: home,
        variable: &variable,
        terminal: false,
    };
    collect(asked, &place, &Cache::default())
}

fn write(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn absent(facts: &Facts, name: &str) -> bool {
    facts.absent.iter().any(|known| known == name)
}

const CLUSTER: &str = "apiVersion: v1\nclusters:\n- cluster:\n    server: x\n  name: c\ncontexts:\n- context:\n    cluster: c\n    namespace: dev\n    user: u\n  name: dev-1\n- context:\n    cluster: c\n    namespace: shop\n    user: u\n  name: \"prod-eu\"\ncurrent-context: prod-eu # now\nkind: Config\nusers:\n- name: prod-eu\n";

#[test]
fn the_moment_has_the_offset_of_the_machine() {
    let (short, long) = (now(false, &Cache::default()), now(true, &Cache::default()));
    let offset = |text: &str| text.get(19..).map(str::to_owned);
    assert_eq!(offset(&short), offset(&long), "{short} {long}");
    assert!(short.parse::<jiff::Timestamp>().is_ok(), "{short}");
}

#[test]
fn context_and_namespaces_come_from_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let asked = Asked {
        cluster: true,
        kubeconfigs: vec!["other.json".to_owned(), "none".to_owned()],
        ..Asked::default()
    };
    write(dir.path(), ".kube/config", CLUSTER);
    write(
        dir.path(),
        "other.json",
        r#"{"current-context": "x", "contexts": [{"name": "x", "context": {"namespace": "n"}}]}"#,
    );
    let facts = look(dir.path(), &[], &asked);
    assert_eq!(facts.kube_context.as_deref(), Some("prod-eu"));
    assert_eq!(facts.kube_namespace.as_deref(), Some("shop"));
    assert_eq!(facts.kube_namespaces["dev-1"], "dev");
    assert!(facts.sources["kube_context"].ends_with(".kube/config"));
    assert_eq!(
        facts.kube_configs["other.json"].context.as_deref(),
        Some("x")
    );
    assert_eq!(facts.kube_configs["other.json"].namespaces["x"], "n");
    assert_eq!(facts.kube_configs["none"].context, None);
    assert_eq!(look(dir.path(), &[], &Asked::default()).kube_context, None);

    let facts = look(dir.path(), &[("KUBECONFIG", "/does/not/exist")], &asked);
    assert_eq!(facts.kube_context, None);
    assert!(absent(&facts, "kube_context"));
    write(dir.path(), "first", "contexts: []\nkind: Config\n");
    let both = [("KUBECONFIG", "first:.kube/config")];
    assert_eq!(
        look(dir.path(), &both, &asked).kube_context.as_deref(),
        Some("prod-eu")
    );
    // Inside a cluster, and where the file is written in a way that is not read, it is not known.
    let inside = [
        ("KUBECONFIG", "/no"),
        ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
    ];
    assert!(!absent(&look(dir.path(), &inside, &asked), "kube_context"));
    write(
        dir.path(),
        ".kube/config",
        "current-context: a\ncontexts: [{name: a}]\n",
    );
    let facts = look(dir.path(), &[], &asked);
    assert!(facts.kube_context.is_none() && !absent(&facts, "kube_context"));
}

#[test]
fn accounts_come_from_the_profile() {
    let dir = tempfile::tempdir().unwrap();
    let asked = Asked {
        aws: true,
        aws_accounts: true,
        aws_profiles: vec!["prod".to_owned(), "gone".to_owned()],
        ..Asked::default()
    };
    let facts = look(dir.path(), &[], &asked);
    assert!(absent(&facts, "aws_account") && absent(&facts, "aws_profile"));
    write(
        dir.path(),
        ".aws/config",
        "[default]\nregion = eu-west-1\nsso_account_id = 111111111111\n\n[profile dev]\nsso_account_id=222222222222\n\n# live\n[profile prod]\nrole_arn = arn:aws:iam::999999999999:role/admin\nsso_account_id = 111111111111\nregion=us-east-1\n[sso-session x]\nsso_region = x\n",
    );
    let facts = look(dir.path(), &[], &asked);
    assert_eq!(facts.aws_profile.as_deref(), Some("default"));
    assert_eq!(facts.aws_account.as_deref(), Some("111111111111"));
    assert_eq!(facts.aws_region.as_deref(), Some("eu-west-1"));
    assert!(facts.sources["aws_account"].ends_with("config [default]"));
    assert_eq!(
        facts.aws_profiles["prod"].account.as_deref(),
        Some("999999999999")
    );
    assert_eq!(
        facts.aws_profiles["prod"].region.as_deref(),
        Some("us-east-1")
    );
    assert_eq!(facts.aws_profiles["gone"].account, None);
    let facts = look(
        dir.path(),
        &[("AWS_PROFILE", "dev"), ("AWS_REGION", "x")],
        &asked,
    );
    assert_eq!(facts.aws_account.as_deref(), Some("222222222222"));
    assert_eq!(facts.aws_region.as_deref(), Some("x"));
    assert_eq!(facts.sources["aws_region"], "AWS_REGION");
    // Keys go before the profile: whose they are is not known, unless the session says it.
    let keys = ("AWS_ACCESS_KEY_ID", "k");
    let facts = look(dir.path(), &[("AWS_PROFILE", "dev"), keys], &asked);
    assert!(facts.aws_account.is_none() && facts.aws_keys && !absent(&facts, "aws_account"));
    let facts = look(
        dir.path(),
        &[keys, ("AWS_ACCOUNT_ID", "333333333333")],
        &asked,
    );
    assert_eq!(facts.aws_account.as_deref(), Some("333333333333"));
}

#[test]
fn google_and_azure() {
    let dir = tempfile::tempdir().unwrap();
    let asked = Asked {
        gcloud: true,
        gcloud_configurations: vec!["live".to_owned(), "../../x".to_owned()],
        azure: true,
        ..Asked::default()
    };
    let facts = look(dir.path(), &[], &asked);
    assert!(absent(&facts, "gcp_project") && absent(&facts, "azure_subscription"));
    write(dir.path(), ".config/gcloud/active_config", "work\n");
    write(
        dir.path(),
        ".config/gcloud/configurations/config_work",
        "[core]\naccount = a@acme.example\nproject = shop-dev\n\n[compute]\nregion = europe-west1\n",
    );
    write(
        dir.path(),
        ".config/gcloud/configurations/config_live",
        "[core]\nproject = shop-prod\n",
    );
    write(
        dir.path(),
        ".azure/azureProfile.json",
        "\u{feff}{\"subscriptions\": [{\"id\": \"1\", \"name\": \"Dev\", \"isDefault\": false}, {\"id\": \"2\", \"name\": \"Live\", \"isDefault\": true}]}",
    );
    let facts = look(dir.path(), &[], &asked);
    assert_eq!(facts.gcp_project.as_deref(), Some("shop-dev"));
    assert_eq!(facts.gcp_account.as_deref(), Some("a@acme.example"));
    assert_eq!(facts.gcp_region.as_deref(), Some("europe-west1"));
    assert_eq!(
        facts.gcp_configurations["live"].project.as_deref(),
        Some("shop-prod")
    );
    assert!(!facts.gcp_configurations.contains_key("../../x"));
    assert_eq!(facts.azure_subscription.as_deref(), Some("Live"));
    assert_eq!(facts.azure_subscription_id.as_deref(), Some("2"));
    let facts = look(dir.path(), &[("CLOUDSDK_CORE_PROJECT", "p")], &asked);
    assert_eq!(facts.gcp_project.as_deref(), Some("p"));
    assert_eq!(facts.sources["gcp_project"], "CLOUDSDK_CORE_PROJECT");
    let facts = look(
        dir.path(),
        &[("CLOUDSDK_ACTIVE_CONFIG_NAME", "live")],
        &asked,
    );
    assert_eq!(facts.gcp_project.as_deref(), Some("shop-prod"));
}

#[test]
fn branch_remotes_and_default_branch() {
    let dir = tempfile::tempdir().unwrap();
    let asked = Asked {
        branch: true,
        remotes: true,
        ..Asked::default()
    };
    let deep = dir.path().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    let outside = look(&deep, &[], &asked);
    assert!(absent(&outside, "git_branch") && absent(&outside, "git_remotes"));
    write(dir.path(), ".git/HEAD", "ref: refs/heads/feature/x\n");
    write(
        dir.path(),
        ".git/refs/remotes/origin/HEAD",
        "ref: refs/remotes/origin/trunk\n",
    );
    write(
        dir.path(),
        ".git/config",
        "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = git@h:acme/x.git\n\tfetch = +refs/*\n[remote \"fork\"]\n\turl = https://h/a\n\tpushurl = https://h/b\n[branch \"x\"]\n\tremote = origin\n",
    );
    let facts = look_from(&deep, dir.path(), &[], &asked);
    assert_eq!(facts.git_branch.as_deref(), Some("feature/x"));
    assert_eq!(facts.git_remotes["origin"], "git@h:acme/x.git");
    assert_eq!(facts.git_remotes["fork"], "https://h/b");
    assert_eq!(facts.protected_branches, ["main", "master", "trunk"]);
    write(dir.path(), ".git/HEAD", "0123456789abcdef\n");
    let facts = look_from(&deep, dir.path(), &[], &asked);
    assert!(facts.git_branch.is_none() && absent(&facts, "git_branch"));
    // A work tree of its own shares the configuration.
    write(dir.path(), "real/worktrees/w/HEAD", "ref: refs/heads/wt\n");
    write(dir.path(), "real/worktrees/w/commondir", "../..\n");
    write(
        dir.path(),
        "real/config",
        "[remote \"origin\"]\n\turl = u\n",
    );
    write(&deep, ".git", "gitdir: ../../real/worktrees/w\n");
    let facts = look_from(&deep, dir.path(), &[], &asked);
    assert_eq!(facts.git_branch.as_deref(), Some("wt"));
    assert_eq!(facts.git_remotes["origin"], "u");
    let other = Asked {
        folders: vec![deep.to_str().unwrap().to_owned()],
        ..asked
    };
    let facts = look(dir.path(), &[], &other);
    assert_eq!(
        facts.folders[deep.to_str().unwrap()].git_branch.as_deref(),
        Some("wt")
    );
}

#[test]
fn workspace() {
    let dir = tempfile::tempdir().unwrap();
    let asked = Asked {
        terraform: true,
        ..Asked::default()
    };
    assert!(absent(
        &look(dir.path(), &[], &asked),
        "terraform_workspace"
    ));
    fs::create_dir(dir.path().join(".terraform")).unwrap();
    let facts = look(dir.path(), &[], &asked);
    assert_eq!(facts.terraform_workspace.as_deref(), Some("default"));
    write(dir.path(), ".terraform/environment", "staging");
    let facts = look(dir.path(), &[], &asked);
    assert_eq!(facts.terraform_workspace.as_deref(), Some("staging"));
    let facts = look(dir.path(), &[("TF_WORKSPACE", "prod")], &asked);
    assert_eq!(facts.terraform_workspace.as_deref(), Some("prod"));
    assert_eq!(facts.sources["terraform_workspace"], "TF_WORKSPACE");
}
