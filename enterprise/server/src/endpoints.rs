//! The one table of the console's endpoints: method, path, who may, what goes in and out.
//!
//! The router, the guard that checks roles and the OpenAPI document are all made from it, so that
//! an endpoint without a role cannot exist.

use std::borrow::Cow;

use cmdai_api::console::{self as wire, Role};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a session. Signing in only; the handler looks at the password.
    Open,
    /// Another service, whose signature the handler checks.
    Signed,
    /// Everybody who is signed in.
    SignedIn,
    /// Accounts whose role includes this one.
    Role(Role),
}

/// HTTP method of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Changes.
    Post,
    /// Puts a thing under a name.
    Put,
    /// Removes.
    Delete,
}

impl Verb {
    /// True where the call changes something.
    pub const fn changes(self) -> bool {
        !matches!(self, Self::Get)
    }
}

/// A schema that the OpenAPI document refers to.
#[derive(Clone, Copy)]
pub struct SchemaOf {
    /// Its name.
    pub name: fn() -> Cow<'static, str>,
    /// Adds it and all it refers to.
    pub collect: fn(&mut Vec<(String, RefOr<Schema>)>),
}

fn collect<T: ToSchema>(list: &mut Vec<(String, RefOr<Schema>)>) {
    list.push((T::name().into_owned(), T::schema()));
    T::schemas(list);
}

const fn schema<T: ToSchema>() -> SchemaOf {
    SchemaOf {
        name: T::name,
        collect: collect::<T>,
    }
}

/// What comes back.
#[derive(Clone, Copy)]
pub enum Answer {
    /// Nothing, status 204.
    Nothing,
    /// One JSON value.
    Json(SchemaOf),
    /// A JSON object without a schema here.
    Object,
    /// JSON lines.
    Lines(SchemaOf),
    /// Server-sent events; the data of each is one of these.
    Stream(&'static [SchemaOf]),
    /// A page.
    Html,
}

/// A parameter of the query string; all are optional texts.
#[derive(Clone, Copy)]
pub struct Query {
    /// Name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
}

const fn query(name: &'static str, about: &'static str) -> Query {
    Query { name, about }
}

const Q: Query = query(
    "q",
    "query: words and fields such as `user:alice decision:deny since:90d`",
);
const FROM: Query = query("from", "not before, RFC 3339 or a date");
const TO: Query = query("to", "before, RFC 3339 or a date");

macro_rules! endpoints {
    ($($name:ident: $verb:ident $path:literal, $access:expr, $about:literal, [$($query:expr),*], $body:expr, $answer:expr;)*) => {
        /// The name of an endpoint; the handler is chosen by it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each says what it does in the table")]
        pub enum Operation { $($name,)* }

        /// Every endpoint of the console listener.
        pub const ENDPOINTS: &[Endpoint] = &[$(Endpoint {
            operation: Operation::$name,
            name: stringify!($name),
            verb: Verb::$verb,
            path: concat!("/api/v1/", $path),
            access: $access,
            about: $about,
            query: &[$($query),*],
            body: $body,
            answer: $answer,
        },)*];
    };
}

/// One endpoint.
#[derive(Clone, Copy)]
pub struct Endpoint {
    /// Chooses the handler.
    pub operation: Operation,
    /// Its name in the OpenAPI document (first letter made small).
    pub name: &'static str,
    /// Method.
    pub verb: Verb,
    /// Path with `{parameters}`.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// What it does.
    pub about: &'static str,
    /// Parameters of the query string.
    pub query: &'static [Query],
    /// Body.
    pub body: Option<SchemaOf>,
    /// Answer.
    pub answer: Answer,
}

const VIEWER: Access = Access::Role(Role::Viewer);
const AUDITOR: Access = Access::Role(Role::Auditor);
const SECURITY: Access = Access::Role(Role::Security);
const ADMINISTRATOR: Access = Access::Role(Role::Administrator);

const fn json<T: ToSchema>() -> Answer {
    Answer::Json(schema::<T>())
}

const fn body<T: ToSchema>() -> Option<SchemaOf> {
    Some(schema::<T>())
}

endpoints! {
    SignIn: Post "session", Access::Open, "sign in; sets the session cookie", [], body::<wire::SignIn>(), json::<wire::Me>();
    ChallengeSignIn: Post "session/challenge", Access::Open, "a challenge for the security key of somebody who signs in", [], body::<wire::SignIn>(), json::<wire::Challenge>();
    GetSession: Get "session", Access::SignedIn, "who is signed in", [], None, json::<wire::Me>();
    SignOut: Delete "session", Access::SignedIn, "sign out", [], None, Answer::Nothing;
    MakeToken: Post "tokens", Access::SignedIn, "make a token for a program, with the caller's own role", [], body::<wire::NewToken>(), json::<wire::TokenMade>();
    ListTokens: Get "tokens", Access::SignedIn, "tokens of programs: one's own, an administrator's are all", [], None, json::<wire::TokenList>();
    DeleteToken: Delete "tokens/{id}", Access::SignedIn, "end a token: one's own, an administrator any", [], None, Answer::Nothing;
    ChangePassword: Post "password", Access::SignedIn, "change the caller's own password; every other session and token of the account ends", [], body::<wire::PasswordChange>(), Answer::Nothing;
    ListFactors: Get "factors", Access::SignedIn, "the caller's second factors", [], None, json::<wire::FactorList>();
    AddTotp: Post "factors/totp", Access::SignedIn, "add an authenticator app; it counts once a code of it came", [], body::<wire::NewTotp>(), json::<wire::TotpMade>();
    ConfirmTotp: Post "factors/totp/{id}", Access::SignedIn, "confirm an authenticator app by a code; gives new recovery codes", [], body::<wire::TotpCode>(), json::<wire::RecoveryCodes>();
    RemoveFactor: Post "factors/{id}/remove", Access::SignedIn, "remove a second factor", [], body::<wire::Confirmation>(), Answer::Nothing;
    AddSecurityKey: Post "factors/webauthn", Access::SignedIn, "begin to add a security key or passkey", [], body::<wire::NewSecurityKey>(), json::<wire::SecurityKeyCreation>();
    ConfirmSecurityKey: Post "factors/webauthn/confirm", Access::SignedIn, "take in what the browser made; the key counts from now on", [], body::<wire::SecurityKeyMade>(), json::<wire::SecurityKeyAdded>();
    MakeChallenge: Post "challenges", Access::SignedIn, "a challenge for the caller's security key, for one act that follows", [], body::<wire::NewChallenge>(), json::<wire::Challenge>();
    GetOverview: Get "overview", VIEWER, "the last 24 hours beside the 24 before them", [], None, json::<wire::Overview>();
    SearchEvents: Get "events", VIEWER, "search events, newest first",
        [Q, FROM, TO, query("cursor", "from the page before"), query("limit", "rows, 1 to 500; 100 where left out")], None, json::<wire::EventPage>();
    GetHistogram: Get "events/histogram", VIEWER, "count matching events over time by decision",
        [Q, FROM, TO, query("buckets", "1 to 200; 48 where left out")], None, json::<wire::Histogram>();
    GetEvent: Get "events/{event_id}", VIEWER, "one event in full (`cmdai.event/1`)", [], None, Answer::Object;
    Live: Get "live", VIEWER, "server-sent events `event`, `alert` and `approval` as they are stored; resumes after `Last-Event-ID`", [], None,
        Answer::Stream(&[schema::<wire::EventRow>(), schema::<wire::Alert>(), schema::<wire::Approval>()]);
    ListAlerts: Get "alerts", VIEWER, "alerts, newest first", [query("status", "`open`, `acknowledged` or `closed`")], None, json::<wire::AlertList>();
    ChangeAlert: Post "alerts/{id}", SECURITY, "assign, note, acknowledge or close an alert", [], body::<wire::AlertChange>(), json::<wire::Alert>();
    ListApprovals: Get "approvals", VIEWER, "requests for approval, newest first",
        [query("status", "`pending`, `granted`, `denied`, `expired` or `consumed`")], None, json::<wire::ApprovalList>();
    GetApproval: Get "approvals/{id}", VIEWER, "one request", [], None, json::<wire::Approval>();
    DecideApproval: Post "approvals/{id}", VIEWER, "say yes or no to a request, as one of the approvers that the policy names; never to one's own", [], body::<wire::ApprovalDecision>(), json::<wire::Approval>();
    ListExceptions: Get "exceptions", VIEWER, "approved exceptions, those that end last first", [], None, json::<wire::ExceptionList>();
    RevokeException: Post "exceptions/{id}/revoke", SECURITY, "take an exception back", [], body::<wire::Revocation>(), json::<wire::ExceptionView>();
    ListEmergencies: Get "emergencies", VIEWER, "what people did in emergencies, newest first", [], None, json::<wire::EmergencyList>();
    ReviewEmergency: Post "emergencies/{id}/review", SECURITY, "review an emergency; never one's own", [], body::<wire::Review>(), json::<wire::Emergency>();
    SlackAction: Post "chat/slack", Access::Signed, "a button in Slack: denies a request or shows where to approve it", [], None, Answer::Object;
    ListMachines: Get "machines", VIEWER, "machines, silent ones first", [], None, json::<wire::MachineList>();
    GetMachine: Get "machines/{id}", VIEWER, "one machine", [], None, json::<wire::Machine>();
    QuarantineMachine: Post "machines/{id}/quarantine", SECURITY, "put a machine into quarantine or take it out", [], body::<wire::QuarantineChange>(), json::<wire::Machine>();
    RevokeMachine: Post "machines/{id}/revoke", SECURITY, "revoke a machine's certificates: it is refused until it enrols again, and keeps its last policy", [], body::<wire::MachineEnd>(), json::<wire::Machine>();
    RetireMachine: Post "machines/{id}/retire", ADMINISTRATOR, "retire a machine: it is refused and not missed; its events stay", [], body::<wire::MachineEnd>(), json::<wire::Machine>();
    MakeEnrolmentToken: Post "enrolment-tokens", ADMINISTRATOR, "make a token that enrols machines", [], body::<wire::NewEnrolmentToken>(), json::<wire::EnrolmentToken>();
    GetPolicy: Get "policy", VIEWER, "the organisation's policy and its releases", [], None, json::<wire::PolicyView>();
    SimulatePolicy: Post "policy/impact", SECURITY, "what a policy would change: documents compared, recorded commands judged under both", [], body::<wire::PolicySource>(), json::<wire::PolicyImpact>();
    CheckPolicy: Post "policy/check", VIEWER, "lint a policy and run its tests", [], body::<wire::PolicySource>(), json::<wire::PolicyCheck>();
    PublishPolicy: Post "policy", SECURITY, "publish a policy as a signed release; 422 with the complaints where it is not valid", [], body::<wire::PolicyPublish>(), json::<wire::PolicyView>();
    SteerRollout: Post "policy/rollout", SECURITY, "halt a rollout, go on with it, or bring back what was before", [], body::<wire::RolloutChange>(), json::<wire::PolicyView>();
    GetDraft: Get "policy/draft", VIEWER, "the release that waits for signatures (`cmdai.release-draft/1`)", [], None, Answer::Object;
    SignDraft: Post "policy/draft", SECURITY, "hand in publishers' signatures; the release goes out once there are enough", [], body::<wire::DraftSignatures>(), json::<wire::PolicyView>();
    ReviewDraft: Post "policy/draft/review", SECURITY, "say that the release that waits may go out, or drop it; never its author", [], body::<wire::ReleaseReview>(), json::<wire::PolicyView>();
    DropDraft: Delete "policy/draft", SECURITY, "drop the release that waits for signatures", [], None, Answer::Nothing;
    GetKeys: Get "policy/keys", VIEWER, "who holds the keys of releases", [], None, json::<wire::PolicyKeys>();
    GetApprovers: Get "policy/approvers", VIEWER, "security keys of those who may approve, as machines know them", [], None, json::<wire::ApproverKeys>();
    PublishApprovers: Post "policy/approvers", SECURITY, "put the keys of those who may approve into the newest release, or up for signing where people sign", [], body::<wire::Confirmation>(), json::<wire::ApproverKeys>();
    PutRoot: Post "policy/root", ADMINISTRATOR, "hand in a root of trust that people made", [], body::<wire::NewRoot>(), json::<wire::PolicyKeys>();
    ExportRelease: Get "policy/bundle", VIEWER, "the newest release as one file, to be carried by hand (`cmdai.release-bundle/1`)",
        [query("root", "version of the root that the machines trust; 1 where left out")], None, Answer::Object;
    ListDetections: Get "detections", VIEWER, "detection rules", [], None, json::<wire::DetectionList>();
    ListFrameworks: Get "reports/frameworks", VIEWER, "frameworks that reports exist for", [], None, json::<wire::FrameworkList>();
    GetReport: Get "reports/{framework}", AUDITOR, "what was tested and found in a period", [FROM, TO], None, json::<wire::Report>();
    GetReportPage: Get "reports/{framework}/html", AUDITOR, "the same as a page to print", [FROM, TO], None, Answer::Html;
    Export: Get "export", AUDITOR, "events with proofs for offline verification (`cmdai.export/1`)", [FROM, TO], None, Answer::Lines(schema::<wire::ExportLine>());
    GetLedger: Get "ledger", VIEWER, "newest signed checkpoint", [], None, json::<wire::LedgerView>();
    ListChannels: Get "channels", ADMINISTRATOR, "ways to be told", [], None, json::<wire::ChannelList>();
    PutChannel: Put "channels/{id}", ADMINISTRATOR, "add or change a channel", [], body::<wire::Channel>(), json::<wire::Channel>();
    DeleteChannel: Delete "channels/{id}", ADMINISTRATOR, "remove a channel", [], None, Answer::Nothing;
    TestChannel: Post "channels/{id}/test", ADMINISTRATOR, "send a test message", [], None, json::<wire::Delivery>();
    ListDeliveries: Get "deliveries", VIEWER, "tries to tell, newest first", [], None, json::<wire::DeliveryList>();
    ListUsers: Get "users", ADMINISTRATOR, "accounts", [], None, json::<wire::UserList>();
    AddUser: Post "users", ADMINISTRATOR, "add an account", [], body::<wire::NewUser>(), json::<wire::User>();
    ChangeUser: Post "users/{login}", ADMINISTRATOR, "change role, groups or chat id of an account, or take its second factors away", [], body::<wire::UserChange>(), json::<wire::User>();
    DeleteUser: Delete "users/{login}", ADMINISTRATOR, "remove an account", [], None, Answer::Nothing;
    GetOpenapi: Get "openapi.json", Access::SignedIn, "this document", [], None, Answer::Object;
}
