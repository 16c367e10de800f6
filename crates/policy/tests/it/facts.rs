//! Conditions on what is known about where a command works: flags, variables, switches earlier in
//! the line, facts; and what happens where it is not known.

use cmdai_policy::{Layers, Snapshot, asked, decide};
use cmdai_schema::{
    AwsProfile, Decision, Facts, FolderFacts, GcloudConfiguration, Judgement, KubeConfig,
};

use super::support::{analyse, facts, ids, snapshot, subject};

/// A machine on which everything is known.
fn machine() -> Facts {
    let named = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let profile = |account: &str, region: &str| AwsProfile {
        account: Some(account.to_owned()),
        region: Some(region.to_owned()),
    };
    Facts {
        kube_context: Some("dev-eu".to_owned()),
        kube_namespace: Some("shop".to_owned()),
        kube_namespaces: named(&[("dev-eu", "shop"), ("prod-eu", "billing")]),
        kube_configs: [(
            "/etc/kube/prod".to_owned(),
            KubeConfig {
                context: Some("prod-us".to_owned()),
                ..KubeConfig::default()
            },
        )]
        .into(),
        aws_profile: Some("dev".to_owned()),
        aws_region: Some("eu-west-1".to_owned()),
        aws_account: Some("111111111111".to_owned()),
        aws_profiles: [
            ("dev".to_owned(), profile("111111111111", "eu-west-1")),
            ("prod".to_owned(), profile("999999999999", "us-east-1")),
        ]
        .into(),
        gcp_project: Some("shop-dev".to_owned()),
        gcp_region: Some("europe-west1".to_owned()),
        gcp_configurations: [(
            "live".to_owned(),
            GcloudConfiguration {
                project: Some("shop-prod".to_owned()),
                region: Some("us-east1".to_owned()),
                ..GcloudConfiguration::default()
            },
        )]
        .into(),
        azure_subscription: Some("Shop Dev".to_owned()),
        azure_subscription_id: Some("0000-1111".to_owned()),
        terraform_workspace: Some("default".to_owned()),
        git_branch: Some("topic".to_owned()),
        git_remotes: named(&[
            ("origin", "git@github.com:acme/shop.git"),
            ("fork", "https://github.com/someone/shop.git"),
        ]),
        protected_branches: vec!["main".to_owned(), "master".to_owned()],
        folders: [
            (
                "/home/user/project/infra".to_owned(),
                FolderFacts {
                    terraform_workspace: Some("production".to_owned()),
                    git_branch: Some("main".to_owned()),
                    ..FolderFacts::default()
                },
            ),
            (
                "/srv/none".to_owned(),
                FolderFacts {
                    absent: vec!["git_branch".to_owned(), "git_remotes".to_owned()],
                    ..FolderFacts::default()
                },
            ),
        ]
        .into(),
        container: Some(false),
        ci: Some(false),
        terminal: Some(true),
        ..facts()
    }
}

fn judged(policy: &Snapshot, command: &str, facts: &Facts) -> Judgement {
    let layers = Layers {
        organisation: Some(policy),
        user: None,
    };
    decide(&analyse(command), command, &layers, facts, &subject())
}

/// A condition, a command, and the decision by the rule: nothing, warn (a fact is not known), deny.
const CASES: &[(&str, &str, Decision)] = &[
    // Contexts.
    (
        "program: kubectl, context: prod-*",
        "kubectl get pods",
        Decision::Allow,
    ),
    (
        "program: kubectl, context: dev-*",
        "kubectl get pods",
        Decision::Deny,
    ),
    (
        "program: kubectl, context: prod-*",
        "kubectl --context prod-eu get pods",
        Decision::Deny,
    ),
    (
        "program: kubectl, context: dev-*",
        "kubectl --context prod-eu get pods",
        Decision::Allow,
    ),
    (
        "program: kubectl, context: prod-*",
        "kubectl --kubeconfig /etc/kube/prod get pods",
        Decision::Deny,
    ),
    (
        "program: kubectl, context: prod-*",
        "KUBECONFIG=/etc/kube/prod kubectl get pods",
        Decision::Deny,
    ),
    (
        "program: kubectl, context: prod-*",
        "export KUBECONFIG=/etc/kube/prod; kubectl get pods",
        Decision::Deny,
    ),
    (
        "program: kubectl, context: prod-*",
        "kubectl --kubeconfig /other get pods",
        Decision::Warn,
    ),
    (
        "program: kubectl, context: prod-*",
        "kubectl config use-context prod-eu && kubectl get pods",
        Decision::Deny,
    ),
    (
        "program: kubectl, context: prod-*",
        "kubectx prod-eu; kubectl get pods",
        Decision::Deny,
    ),
    (
        "program: kubectl, context: prod-*",
        "kubectl config use-context \"$X\" && kubectl get pods",
        Decision::Warn,
    ),
    (
        "program: kubectl, context: prod-*",
        "sudo kubectl get pods",
        Decision::Warn,
    ),
    (
        "program: kubectl, context: prod-*",
        "sudo kubectl --context dev get pods",
        Decision::Allow,
    ),
    (
        "program: kubectl, context: prod-*",
        "ssh host kubectl get pods",
        Decision::Warn,
    ),
    (
        "program: kubectl, context: dev-*",
        "ssh host kubectl get pods",
        Decision::Warn,
    ),
    (
        "program: kubectl, context: prod-*",
        "docker exec box kubectl get pods",
        Decision::Warn,
    ),
    (
        "program: kubectl, context: prod-*",
        "bash -c 'kubectl get pods'",
        Decision::Allow,
    ),
    (
        "program: helm, context: prod-*",
        "helm --kube-context prod-eu ls",
        Decision::Deny,
    ),
    ("context: prod-*", "ls", Decision::Allow),
    (
        "program: ./deploy.sh, context: dev-*",
        "./deploy.sh",
        Decision::Deny,
    ),
    (
        "program: make, context: shop-dev",
        "make deploy",
        Decision::Deny,
    ),
    (
        "program: make, context: prod-*",
        "make deploy",
        Decision::Allow,
    ),
    // Namespaces.
    ("namespace: shop", "kubectl get pods", Decision::Deny),
    (
        "namespace: shop",
        "kubectl get pods -n other",
        Decision::Allow,
    ),
    (
        "namespace: kube-*",
        "kubectl delete pod x -nkube-system",
        Decision::Deny,
    ),
    (
        "namespace: kube-*",
        "kubectl delete pod x --namespace=kube-system",
        Decision::Deny,
    ),
    (
        "namespace: kube-*",
        "kubectl delete pods --all -A",
        Decision::Deny,
    ),
    (
        "namespace: billing",
        "kubectl --context prod-eu get pods",
        Decision::Deny,
    ),
    (
        "namespace: default",
        "kubectl --kubeconfig /etc/kube/prod get pods",
        Decision::Deny,
    ),
    (
        "namespace: kube-*",
        "kubens kube-system; kubectl delete pod x",
        Decision::Deny,
    ),
    (
        "namespace: kube-*",
        "kubectl get pods -n \"$NS\"",
        Decision::Warn,
    ),
    // Accounts.
    ("account: '999999999999'", "aws s3 ls", Decision::Allow),
    ("account: '111111111111'", "aws s3 ls", Decision::Deny),
    (
        "account: '999999999999'",
        "aws s3 ls --profile prod",
        Decision::Deny,
    ),
    (
        "account: '999999999999'",
        "AWS_PROFILE=prod aws s3 ls",
        Decision::Deny,
    ),
    (
        "account: '999999999999'",
        "export AWS_PROFILE=prod; aws s3 ls",
        Decision::Deny,
    ),
    (
        "account: '999999999999'",
        "aws s3 ls --profile other",
        Decision::Warn,
    ),
    (
        "account: '999999999999'",
        "AWS_ACCESS_KEY_ID=x aws s3 ls",
        Decision::Warn,
    ),
    (
        "account: '999999999999'",
        "AWS_ACCOUNT_ID=999999999999 aws s3 ls",
        Decision::Deny,
    ),
    (
        "account: '999999999999'",
        "AWS_PROFILE=prod terraform apply",
        Decision::Deny,
    ),
    (
        "account: shop-prod",
        "gcloud sql instances list",
        Decision::Allow,
    ),
    (
        "account: shop-prod",
        "gcloud --project=shop-prod sql instances list",
        Decision::Deny,
    ),
    (
        "account: shop-prod",
        "gcloud sql instances list --configuration live",
        Decision::Deny,
    ),
    (
        "account: shop-prod",
        "CLOUDSDK_CORE_PROJECT=shop-prod gcloud sql instances list",
        Decision::Deny,
    ),
    (
        "account: shop-prod",
        "gcloud config set project shop-prod && gcloud sql instances list",
        Decision::Deny,
    ),
    (
        "account: shop-prod",
        "gcloud config configurations activate live && gcloud sql instances list",
        Decision::Warn,
    ),
    ("account: Shop*", "az vm list", Decision::Deny),
    ("account: 0000-*", "az vm list", Decision::Deny),
    (
        "account: Live",
        "az vm list --subscription Live",
        Decision::Deny,
    ),
    (
        "account: Live",
        "az account set -s Live; az vm list",
        Decision::Deny,
    ),
    // Regions.
    (
        "region: us-*",
        "aws ec2 describe-instances",
        Decision::Allow,
    ),
    (
        "region: us-*",
        "aws ec2 describe-instances --region us-east-2",
        Decision::Deny,
    ),
    (
        "region: us-*",
        "aws ec2 describe-instances --profile prod",
        Decision::Deny,
    ),
    (
        "region: us-*",
        "AWS_REGION=us-east-2 aws ec2 describe-instances",
        Decision::Deny,
    ),
    (
        "region: us-*",
        "gcloud compute instances list --configuration live",
        Decision::Deny,
    ),
    // Workspaces.
    ("workspace: prod*", "terraform apply", Decision::Allow),
    (
        "workspace: prod*",
        "terraform workspace select production && terraform apply",
        Decision::Deny,
    ),
    (
        "workspace: prod*",
        "terraform workspace select production",
        Decision::Deny,
    ),
    (
        "workspace: prod*",
        "TF_WORKSPACE=prod terraform plan",
        Decision::Deny,
    ),
    (
        "workspace: prod*",
        "cd infra && terraform apply",
        Decision::Deny,
    ),
    (
        "workspace: prod*",
        "terraform -chdir=infra apply",
        Decision::Deny,
    ),
    (
        "workspace: prod*",
        "cd elsewhere && terraform apply",
        Decision::Warn,
    ),
    (
        "workspace: prod*",
        "cd \"$D\" && terraform apply",
        Decision::Warn,
    ),
    (
        "workspace: prod*",
        "(cd infra && ls); terraform apply",
        Decision::Allow,
    ),
    // Branches.
    (
        "protected_branch: true",
        "git push origin main",
        Decision::Deny,
    ),
    (
        "protected_branch: true",
        "git push origin topic",
        Decision::Allow,
    ),
    ("protected_branch: true", "git push", Decision::Allow),
    (
        "protected_branch: true",
        "git push origin topic:main",
        Decision::Deny,
    ),
    (
        "protected_branch: true",
        "git push origin HEAD:refs/heads/main",
        Decision::Deny,
    ),
    (
        "protected_branch: true",
        "git push origin HEAD",
        Decision::Allow,
    ),
    ("protected_branch: true", "git push --all", Decision::Deny),
    (
        "protected_branch: true",
        "git checkout main && git push",
        Decision::Deny,
    ),
    (
        "protected_branch: true",
        "git switch -c main2 && git push",
        Decision::Allow,
    ),
    (
        "protected_branch: true",
        "git -C infra push",
        Decision::Deny,
    ),
    (
        "protected_branch: true",
        "cd infra && git commit -m x",
        Decision::Deny,
    ),
    (
        "protected_branch: true",
        "git commit -m main",
        Decision::Allow,
    ),
    (
        "protected_branch: true",
        "cd /srv/none && git commit -m x",
        Decision::Allow,
    ),
    (
        "protected_branch: true",
        "ssh host 'cd r && git push'",
        Decision::Warn,
    ),
    (
        "protected_branch: true",
        "echo git push origin main",
        Decision::Allow,
    ),
    (
        "branch: topic, program: git",
        "git commit -m x",
        Decision::Deny,
    ),
    ("branch: topic", "touch x", Decision::Deny),
    (
        "effect: force-push, branch: main",
        "git push --force origin main",
        Decision::Deny,
    ),
    // Remotes.
    (
        "remote: '*github.com[:/]acme/*'",
        "git push",
        Decision::Allow,
    ),
    ("remote: '*github.com*acme/*'", "git push", Decision::Deny),
    ("remote: '*someone*'", "git push fork topic", Decision::Deny),
    (
        "remote: '*someone*'",
        "git push origin topic",
        Decision::Allow,
    ),
    (
        "remote: '*someone*'",
        "git push https://github.com/someone/x topic",
        Decision::Deny,
    ),
    (
        "remote: '*someone*'",
        "git clone https://github.com/someone/x",
        Decision::Deny,
    ),
    (
        "remote: '*someone*'",
        "git push unknown topic",
        Decision::Warn,
    ),
    ("remote: '*someone*'", "git status", Decision::Allow),
    // Surroundings.
    ("program: ls, terminal: true", "ls", Decision::Deny),
    ("program: ls, terminal: false", "ls", Decision::Allow),
    ("program: ls, container: true", "ls", Decision::Allow),
    ("program: ls, ci: false", "ls", Decision::Deny),
];

#[test]
fn conditions_see_what_a_command_works_with() {
    let machine = machine();
    let mut wrong = Vec::new();
    for (when, command, decision) in CASES {
        let policy = snapshot(&format!(
            "version: \"1.0\"\nrules:\n  - {{id: the.rule, when: {{{when}}}, decision: deny, reason: r}}\n"
        ));
        let judgement = judged(&policy, command, &machine);
        let found = judgement
            .rules
            .iter()
            .find(|hit| hit.id == "the.rule")
            .map_or(Decision::Allow, |hit| hit.decision);
        if found != *decision {
            wrong.push(format!(
                "{when:40} {command:60} {found}, should be {decision}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_known_is_the_rules_choice() {
    let nothing = facts();
    for (choice, decision, found) in [
        ("", "deny", Decision::Warn),
        ("", "confirm", Decision::Warn),
        ("", "warn", Decision::Allow),
        (", unknown: deny", "deny", Decision::Deny),
        (
            ", unknown: require_approval",
            "deny",
            Decision::RequireApproval,
        ),
        (", unknown: allow", "deny", Decision::Allow),
        (", unknown: deny", "warn", Decision::Deny),
    ] {
        let policy = snapshot(&format!(
            "version: \"1.0\"\nrules:\n  - {{id: the.rule, when: {{program: kubectl, context: prod-*}}, decision: {decision}{choice}, reason: no}}\n"
        ));
        let judgement = judged(&policy, "kubectl get pods", &nothing);
        assert_eq!(judgement.decision, found, "{decision}{choice}");
        if found > Decision::Allow {
            let reason = &judgement.rules[0].reason;
            assert!(reason.contains("the context is not known"), "{reason}");
        }
        // What another condition excludes is not in question.
        assert_eq!(
            judged(&policy, "kubectx", &nothing).decision,
            Decision::Allow
        );
    }
}

#[test]
fn what_is_known_to_be_nothing_does_not_fit() {
    let policy = snapshot(
        "version: \"1.0\"\nrules:\n  - {id: a, when: {program: git, branch: main}, decision: deny, unknown: deny, reason: no}\n",
    );
    let mut outside = facts();
    assert_eq!(
        judged(&policy, "git status", &outside).decision,
        Decision::Deny
    );
    outside.absent.push("git_branch".to_owned());
    assert_eq!(
        judged(&policy, "git status", &outside).decision,
        Decision::Allow
    );
}

#[test]
fn documents_protect_branches() {
    let policy = snapshot(
        "version: \"1.0\"\nsafety: {protected_branches: [\"release/*\"]}\nrules:\n  - {id: own, when: {protected_branch: true}, decision: deny, reason: r}\n",
    );
    let machine = machine();
    for (command, fires) in [
        ("git push origin release/7", true),
        ("git push origin main", true),
        ("git push origin topic", false),
    ] {
        assert_eq!(
            ids(&judged(&policy, command, &machine)).contains(&"own"),
            fires,
            "{command}"
        );
    }
}

#[test]
fn only_what_is_asked_for_is_collected() {
    let accounts = snapshot(
        "version: \"1.0\"\nallowed_tools: [{name: git, versions: [\">=2\"]}]\nrules:\n  - {id: a, when: {account: x}, decision: deny, reason: r}\n  - {id: b, when: {program: make, context: x}, decision: deny, reason: r}\n",
    );
    let branches = snapshot(
        "version: \"1.0\"\nrules:\n  - {id: a, when: {branch: x}, decision: deny, reason: r}\n",
    );
    let ask = |policy: Option<&Snapshot>, command: &str| {
        let layers = Layers {
            organisation: policy,
            user: None,
        };
        asked(&analyse(command), &layers, "/home/user/project")
    };
    assert_eq!(ask(None, "ls -l; grep x y"), cmdai_policy::Asked::default());
    let status = ask(None, "git status");
    assert!(status.branch && !status.remotes && status.versions.is_empty());
    assert!(ask(None, "git push -f").remotes);
    assert!(ask(Some(&branches), "ls").branch);
    let kubectl = ask(None, "kubectl --kubeconfig x get pods");
    assert!(kubectl.cluster && !kubectl.aws);
    assert_eq!(kubectl.kubeconfigs, ["x"]);
    assert!(!ask(None, "aws s3 ls --profile p").aws_accounts);
    let aws = ask(Some(&accounts), "aws s3 ls --profile p");
    assert!(aws.aws_accounts);
    assert_eq!(aws.aws_profiles, ["p"]);
    assert!(ask(Some(&accounts), "make x").cluster);
    assert!(!ask(None, "make x").cluster);
    assert_eq!(ask(Some(&accounts), "git status").versions, ["git"]);
    assert!(!ask(None, "ssh h kubectl get pods").cluster);
    assert_eq!(
        ask(None, "cd infra; terraform apply").folders,
        ["/home/user/project/infra"]
    );
}
