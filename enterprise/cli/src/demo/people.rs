//! The people of the demo at the console: the administrator, and a second person who approves.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use cmdai_api::console::{
    Alert, AlertList, Approval, ApprovalDecision, ApprovalList, Channel, EnrolmentToken,
    LedgerView, MachineList, NewEnrolmentToken, NewUser, Overview, PolicyPublish, PolicyView, Role,
    User,
};

use super::telephone::Telephone;
use crate::client::Client;

/// Who is signed in.
pub(crate) struct People {
    admin: Client,
    approver: Client,
    password: String,
}

/// A password for this run.
pub(crate) fn password() -> Result<String> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let letters = b"abcdefghjkmnpqrstuvwxyz23456789";
    let word: String = bytes
        .iter()
        .filter_map(|byte| letters.get(usize::from(*byte) % letters.len()))
        .map(|byte| char::from(*byte))
        .collect();
    Ok(format!("demo-{word}"))
}

impl People {
    /// Signs the administrator in and adds the second person.
    pub(crate) async fn arrive(console: &str, password: &str) -> Result<Self> {
        let (admin, _) = Client::sign_in(console, "admin", password, "demo", 1).await?;
        let riya = NewUser {
            login: "riya".to_owned(),
            role: Role::Security,
            person: "riya".to_owned(),
            password: password.to_owned(),
            groups: None,
            your_password: Some(password.to_owned()),
        };
        let _: User = admin.post("users", &riya).await?;
        let (approver, _) = Client::sign_in(console, "riya", password, "demo", 1).await?;
        Ok(Self {
            admin,
            approver,
            password: password.to_owned(),
        })
    }

    /// The administrator's client.
    pub(crate) fn client(&self) -> &Client {
        &self.admin
    }

    /// Has alerts sent to the demo's own telephone.
    pub(crate) async fn call(&self, telephone: &Telephone) -> Result<()> {
        let channel = Channel {
            id: "demo".to_owned(),
            kind: "webhook".to_owned(),
            url: telephone.url(),
            min_severity: "low".to_owned(),
            secret: Some("demo-webhook-secret".to_owned()),
            enabled: true,
        };
        self.admin.put("channels/demo", &channel).await
    }

    /// Publishes the demo's policy.
    pub(crate) async fn publish(&self, source: &str) -> Result<()> {
        let now: PolicyView = self.admin.get("policy", &[]).await?;
        let body = PolicyPublish {
            source: source.to_owned(),
            base_version: now.version,
            note: "policy of the demo".to_owned(),
            password: self.password.clone(),
            rollout: None,
            managed_by: None,
        };
        let _: PolicyView = self.admin.post("policy", &body).await?;
        Ok(())
    }

    /// A token for the simulated fleet.
    pub(crate) async fn fleet_token(&self, uses: u32) -> Result<String> {
        self.token("fleet", uses).await
    }

    /// A token for the governed machine.
    pub(crate) async fn machine_token(&self) -> Result<String> {
        self.token("demo", 1).await
    }

    async fn token(&self, person: &str, uses: u32) -> Result<String> {
        let body = NewEnrolmentToken {
            person: person.to_owned(),
            teams: vec!["platform".to_owned()],
            // One token enrols a whole fleet of other people.
            labels: BTreeMap::from([
                ("env".to_owned(), "demo".to_owned()),
                ("people".to_owned(), "*".to_owned()),
            ]),
            hours: 2,
            uses,
            password: Some(self.password.clone()),
        };
        let token: EnrolmentToken = self.admin.post("enrolment-tokens", &body).await?;
        Ok(token.token)
    }

    /// The second person approves a request as soon as it is there.
    pub(crate) async fn approve(&self, id: &str) -> Result<Approval> {
        for _ in 0..50 {
            let list: ApprovalList = self
                .approver
                .get("approvals", &[("status", "pending".to_owned())])
                .await?;
            if let Some(approval) = list.approvals.iter().find(|approval| approval.id == id) {
                let body = ApprovalDecision {
                    approve: true,
                    reason: "planned removal, CHG-1041".to_owned(),
                    password: self.password.clone(),
                    binding_hash: Some(approval.binding_hash.clone()),
                };
                return self.approver.post(&format!("approvals/{id}"), &body).await;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        bail!("request {id} did not reach the server within 10 s")
    }

    /// Waits until every machine's last sealed event is stored and in a signed checkpoint.
    pub(crate) async fn wait_until_stored(&self) -> Result<()> {
        for _ in 0..100 {
            let ledger: LedgerView = self.admin.get("ledger", &[]).await?;
            let machines = self.machines().await?;
            let stored = machines
                .machines
                .iter()
                .all(|machine| machine.acked_seq >= machine.head_seq);
            if stored && ledger.checkpoint.is_some() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(()) // the summary names what is missing
    }

    /// Machines.
    pub(crate) async fn machines(&self) -> Result<MachineList> {
        self.admin.get("machines", &[]).await
    }

    /// Alerts.
    pub(crate) async fn alerts(&self) -> Result<Vec<Alert>> {
        let list: AlertList = self.admin.get("alerts", &[]).await?;
        Ok(list.alerts)
    }

    /// The overview.
    pub(crate) async fn overview(&self) -> Result<Overview> {
        self.admin.get("overview", &[]).await
    }
}
