// Made from enterprise/api/openapi.json by `npm run generate`. Do not edit.

export interface paths {
    "/api/v1/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * alerts, newest first
         * @description role: viewer
         */
        get: operations["listAlerts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * assign, note, acknowledge or close an alert
         * @description role: security
         */
        post: operations["changeAlert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * requests for approval, newest first
         * @description role: viewer
         */
        get: operations["listApprovals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * one request
         * @description role: viewer
         */
        get: operations["getApproval"];
        put?: never;
        /**
         * say yes or no to a request, as one of the approvers that the policy names; never to one's own
         * @description role: viewer
         */
        post: operations["decideApproval"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/challenges": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * a challenge for the caller's security key, for one act that follows
         * @description any role
         */
        post: operations["makeChallenge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * ways to be told
         * @description role: administrator
         */
        get: operations["listChannels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * add or change a channel
         * @description role: administrator
         */
        put: operations["putChannel"];
        post?: never;
        /**
         * remove a channel
         * @description role: administrator
         */
        delete: operations["deleteChannel"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * send a test message
         * @description role: administrator
         */
        post: operations["testChannel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/slack": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * a button in Slack: denies a request or shows where to approve it
         * @description signed by another service
         */
        post: operations["slackAction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * tries to tell, newest first
         * @description role: viewer
         */
        get: operations["listDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/detections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * detection rules
         * @description role: viewer
         */
        get: operations["listDetections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/emergencies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * what people did in emergencies, newest first
         * @description role: viewer
         */
        get: operations["listEmergencies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/emergencies/{id}/review": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * review an emergency; never one's own
         * @description role: security
         */
        post: operations["reviewEmergency"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrolment-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * make a token that enrols machines
         * @description role: administrator
         */
        post: operations["makeEnrolmentToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * search events, newest first
         * @description role: viewer
         */
        get: operations["searchEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/histogram": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * count matching events over time by decision
         * @description role: viewer
         */
        get: operations["getHistogram"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/{event_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * one event in full (`cmdai.event/1`)
         * @description role: viewer
         */
        get: operations["getEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exceptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * approved exceptions, those that end last first
         * @description role: viewer
         */
        get: operations["listExceptions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exceptions/{id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * take an exception back
         * @description role: security
         */
        post: operations["revokeException"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * events with proofs for offline verification (`cmdai.export/1`)
         * @description role: auditor
         */
        get: operations["export"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * the caller's second factors
         * @description any role
         */
        get: operations["listFactors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/factors/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * add an authenticator app; it counts once a code of it came
         * @description any role
         */
        post: operations["addTotp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/factors/totp/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * confirm an authenticator app by a code; gives new recovery codes
         * @description any role
         */
        post: operations["confirmTotp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/factors/webauthn": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * begin to add a security key or passkey
         * @description any role
         */
        post: operations["addSecurityKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/factors/webauthn/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * take in what the browser made; the key counts from now on
         * @description any role
         */
        post: operations["confirmSecurityKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/factors/{id}/remove": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * remove a second factor
         * @description any role
         */
        post: operations["removeFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ledger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * newest signed checkpoint
         * @description role: viewer
         */
        get: operations["getLedger"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * server-sent events `event`, `alert` and `approval` as they are stored; resumes after `Last-Event-ID`
         * @description role: viewer
         */
        get: operations["live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/machines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * machines, silent ones first
         * @description role: viewer
         */
        get: operations["listMachines"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/machines/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * one machine
         * @description role: viewer
         */
        get: operations["getMachine"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/machines/{id}/quarantine": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * put a machine into quarantine or take it out
         * @description role: security
         */
        post: operations["quarantineMachine"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/machines/{id}/retire": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * retire a machine: it is refused and not missed; its events stay
         * @description role: administrator
         */
        post: operations["retireMachine"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/machines/{id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * revoke a machine's certificates: it is refused until it enrols again, and keeps its last policy
         * @description role: security
         */
        post: operations["revokeMachine"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * this document
         * @description any role
         */
        get: operations["getOpenapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * the last 24 hours beside the 24 before them
         * @description role: viewer
         */
        get: operations["getOverview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * change the caller's own password; every other session and token of the account ends
         * @description any role
         */
        post: operations["changePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * the organisation's policy and its releases
         * @description role: viewer
         */
        get: operations["getPolicy"];
        put?: never;
        /**
         * publish a policy as a signed release; 422 with the complaints where it is not valid
         * @description role: security
         */
        post: operations["publishPolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policy/approvers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * security keys of those who may approve, as machines know them
         * @description role: viewer
         */
        get: operations["getApprovers"];
        put?: never;
        /**
         * put the keys of those who may approve into the newest release, or up for signing where people sign
         * @description role: security
         */
        post: operations["publishApprovers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policy/bundle": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * the newest release as one file, to be carried by hand (`cmdai.release-bundle/1`)
         * @description role: viewer
         */
        get: operations["exportRelease"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policy/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * lint a policy and run its tests
         * @description role: viewer
         */
        post: operations["checkPolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policy/draft": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * the release that waits for signatures (`cmdai.release-draft/1`)
         * @description role: viewer
         */
        get: operations["getDraft"];
        put?: never;
        /**
         * hand in publishers' signatures; the release goes out once there are enough
         * @description role: security
         */
        post: operations["signDraft"];
        /**
         * drop the release that waits for signatures
         * @description role: security
         */
        delete: operations["dropDraft"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policy/draft/review": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * say that the release that waits may go out, or drop it; never its author
         * @description role: security
         */
        post: operations["reviewDraft"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policy/impact": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * what a policy would change: documents compared, recorded commands judged under both
         * @description role: security
         */
        post: operations["simulatePolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policy/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * who holds the keys of releases
         * @description role: viewer
         */
        get: operations["getKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policy/rollout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * halt a rollout, go on with it, or bring back what was before
         * @description role: security
         */
        post: operations["steerRollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policy/root": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * hand in a root of trust that people made
         * @description role: administrator
         */
        post: operations["putRoot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/reports/frameworks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * frameworks that reports exist for
         * @description role: viewer
         */
        get: operations["listFrameworks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/reports/{framework}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * what was tested and found in a period
         * @description role: auditor
         */
        get: operations["getReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/reports/{framework}/html": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * the same as a page to print
         * @description role: auditor
         */
        get: operations["getReportPage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * who is signed in
         * @description any role
         */
        get: operations["getSession"];
        put?: never;
        /**
         * sign in; sets the session cookie
         * @description nobody needs to be signed in
         */
        post: operations["signIn"];
        /**
         * sign out
         * @description any role
         */
        delete: operations["signOut"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/challenge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * a challenge for the security key of somebody who signs in
         * @description nobody needs to be signed in
         */
        post: operations["challengeSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * tokens of programs: one's own, an administrator's are all
         * @description any role
         */
        get: operations["listTokens"];
        put?: never;
        /**
         * make a token for a program, with the caller's own role
         * @description any role
         */
        post: operations["makeToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * end a token: one's own, an administrator any
         * @description any role
         */
        delete: operations["deleteToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * accounts
         * @description role: administrator
         */
        get: operations["listUsers"];
        put?: never;
        /**
         * add an account
         * @description role: administrator
         */
        post: operations["addUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{login}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * change role, groups or chat id of an account, or take its second factors away
         * @description role: administrator
         */
        post: operations["changeUser"];
        /**
         * remove an account
         * @description role: administrator
         */
        delete: operations["deleteUser"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An alert. */
        Alert: {
            /** @description Who has it. */
            assignee?: string | null;
            /**
             * Format: int64
             * @description How many times it fired within its cool-down.
             */
            count: number;
            /** @description When it was raised. */
            created: string;
            /** @description Detection rule's id. */
            detection: string;
            /** @description How it ended: `true_positive`, `false_positive`, `accepted`. */
            disposition?: string | null;
            /** @description Events behind it. */
            event_ids: string[];
            /** @description Host name. */
            hostname?: string | null;
            /** @description Alert. */
            id: string;
            /** @description Machine. */
            machine_id?: string | null;
            /** @description Notes, oldest first. */
            notes: components["schemas"]["Note"][];
            /** @description When a channel first took it. */
            notified?: string | null;
            /** @description When the command or the silence happened. */
            occurred: string;
            /** @description `low`, `medium`, `high`, `critical`. */
            severity: string;
            /** @description `open`, `acknowledged`, `closed`. */
            status: string;
            /** @description What happened, in a sentence. */
            summary: string;
            /** @description Its title. */
            title: string;
            /** @description Person. */
            user?: string | null;
        };
        /** @description A change to an alert; fields left out stay. */
        AlertChange: {
            /** @description New assignee. */
            assignee?: string | null;
            /** @description Disposition; needed to close. */
            disposition?: string | null;
            /** @description A note to add. */
            note?: string | null;
            /** @description New status. */
            status?: string | null;
        };
        /** @description Alerts, newest first. */
        AlertList: {
            /** @description Alerts. */
            alerts: components["schemas"]["Alert"][];
        };
        /** @description Body of every error answer. */
        ApiError: {
            /**
             * @description Stable code: `unauthenticated`, `forbidden`, `not_found`, `invalid`, `conflict`,
             *     `step_up_required`, `factor_required`, `too_many_requests`, `internal`.
             */
            code: string;
            /** @description What is wrong and what to do, lower-case. */
            message: string;
        };
        /** @description A request for approval, with everything needed to decide. */
        Approval: {
            /** @description Agent's name. */
            agent?: string | null;
            /** @description Who decided. */
            approver?: string | null;
            /** @description Hash of all of this; a grant carries it. */
            binding_hash: string;
            /** @description Contexts that matter. */
            contexts: string[];
            /** @description When it was asked. */
            created: string;
            /** @description Working directory. */
            cwd: string;
            /** @description When it was decided. */
            decided?: string | null;
            /** @description What was said to it. */
            decision_reason?: string | null;
            /** @description What it would do. */
            effects: string[];
            exception?: components["schemas"]["ExceptionAsked"] | null;
            /** @description When it lapses. */
            expires: string;
            /** @description Weakest proof that counts: `password`, `totp`, `webauthn`. */
            factor: string;
            /** @description Files that would run, with their hashes. */
            files: {
                [key: string]: string;
            };
            /**
             * Format: int32
             * @description How many have, and still may.
             */
            given: number;
            /** @description Groups whose members may answer; the role security where it is empty. */
            groups: string[];
            /** @description Host name. */
            hostname: string;
            /** @description Request. */
            id: string;
            /** @description `command`, `exception` or `break_glass`. */
            kind: string;
            /** @description Machine. */
            machine_id: string;
            /** @description One of those who say yes must be in one of these groups, where there are any. */
            managers: string[];
            /**
             * Format: int32
             * @description How many different people must say yes.
             */
            needed: number;
            /** @description `human`, `script`, `agent`. */
            origin: string;
            /** @description Why it needs approval. */
            policy_reason: string;
            /** @description What the person said. */
            reason?: string | null;
            /** @description Risk. */
            risk: string;
            /** @description Rules that ask for it. */
            rules: string[];
            /** @description Shell. */
            shell: string;
            /** @description `pending`, `granted`, `denied`, `expired`, `consumed`. */
            status: string;
            /** @description Redacted text. */
            text: string;
            /** @description Who asks. */
            user: string;
            /**
             * Format: int32
             * @description How often a grant may be used.
             */
            uses: number;
            /** @description What was said, oldest first. */
            votes: components["schemas"]["ApprovalVote"][];
        };
        /** @description A decision; the password is asked again (step-up). */
        ApprovalDecision: {
            /** @description Grant it. */
            approve: boolean;
            /** @description `binding_hash` of what was shown; where it is another one, nothing is decided. */
            binding_hash?: string | null;
            /** @description The approver's own password. */
            password: string;
            /** @description Why. */
            reason: string;
        };
        /** @description Requests, newest first. */
        ApprovalList: {
            /** @description Requests. */
            approvals: components["schemas"]["Approval"][];
        };
        /** @description What one person said. */
        ApprovalVote: {
            /** @description Yes or no. */
            approve: boolean;
            /** @description How they proved it. */
            factor: string;
            /** @description Account. */
            login: string;
            /** @description Person. */
            person: string;
            /** @description What they said. */
            reason: string;
            /** @description When. */
            time: string;
        };
        /** @description A security key under which machines accept grants, or would. */
        ApproverKeyLine: {
            /** @description `ES256` or `EdDSA`. */
            algorithm: string;
            /** @description Id of the credential, base64url. */
            credential_id: string;
            /** @description Account. */
            login: string;
            /** @description Person. */
            person: string;
            /** @description `in_force`, `waits` for a release, or `leaves` with the next one. */
            state: string;
        };
        /** @description Security keys of those who may approve. */
        ApproverKeys: {
            /** @description The release on machines says the same. */
            current: boolean;
            /** @description Keys. */
            keys: components["schemas"]["ApproverKeyLine"][];
            /** @description Addresses of the console. */
            origins: string[];
            /** @description Host name that the keys are bound to; empty where the console has only an address. */
            rp_id: string;
            /** @description Who vouches for them on machines: `server` or `people`. */
            signing: string;
        };
        /** @description Last event of a chain. */
        ChainHead: {
            /** @description Hash, hex. */
            hash: string;
            /**
             * Format: int64
             * @description Number.
             */
            seq: number;
        };
        /** @description What a security key is asked to sign. */
        Challenge: {
            /** @description SHA-256 of the statement, base64url. */
            challenge: string;
            /** @description Credentials of the account, base64url. */
            credentials: string[];
            /** @description What keys are bound to. */
            rp_id: string;
            /** @description The statement: RFC 8785 of `cmdai.act/1` or `cmdai.consent/1`. */
            statement: string;
            /**
             * Format: int32
             * @description Milliseconds.
             */
            timeout_ms: number;
        };
        /** @description A sentence that leads somewhere. */
        Change: {
            /** @description Path in the console. */
            link: string;
            /** @description What changed. */
            text: string;
        };
        /** @description A way to be told. */
        Channel: {
            /** @description It is used. */
            enabled: boolean;
            /** @description Channel. */
            id: string;
            /** @description `webhook` or `slack`. */
            kind: string;
            /** @description Least severity. */
            min_severity: string;
            /**
             * @description `webhook`: signs bodies (HMAC-SHA-256). `slack`: the signing secret that its answers carry.
             *     Never given back.
             */
            secret?: string | null;
            /** @description Where to. */
            url: string;
        };
        /** @description Channels. */
        ChannelList: {
            /** @description Channels. */
            channels: components["schemas"]["Channel"][];
        };
        /** @description A signed state of the ledger. */
        Checkpoint: {
            /** @description The signed note, as text. */
            note: string;
            /** @description Origin line. */
            origin: string;
            /** @description Root hash, hex. */
            root: string;
            /** @description When. */
            time: string;
            /**
             * Format: int64
             * @description Number of leaves.
             */
            tree_size: number;
        };
        /** @description Is everything there? */
        Completeness: {
            /**
             * Format: int64
             * @description Gap events in the period.
             */
            gaps: number;
            /**
             * Format: int64
             * @description Machines with events in the period.
             */
            machines: number;
            /**
             * Format: int64
             * @description Records missing in them.
             */
            missing: number;
            /** @description Root hash, hex. */
            root: string;
            /**
             * Format: int64
             * @description The ledger's tree size at the end.
             */
            tree_size: number;
            /** @description Chains and tree were checked and fit. */
            verified: boolean;
        };
        /** @description The actor's own password, asked again. */
        Confirmation: {
            /** @description Password. */
            password: string;
        };
        /** @description One control. */
        ControlResult: {
            /** @description What the control asks. */
            asks: string;
            /** @description Evidence. */
            evidence: components["schemas"]["EvidenceItem"][];
            /** @description `CC6.8`. */
            id: string;
            /** @description Title. */
            title: string;
        };
        /** @description A name and how often. */
        Count: {
            /**
             * Format: int64
             * @description How often.
             */
            count: number;
            /** @description Name. */
            name: string;
        };
        /** @description One try to tell. */
        Delivery: {
            /** @description Alert. */
            alert: string;
            /**
             * Format: int32
             * @description Try, from 1.
             */
            attempt: number;
            /** @description Channel. */
            channel: string;
            /** @description What went wrong. */
            error?: string | null;
            /**
             * Format: int32
             * @description HTTP status, where there was one.
             */
            status?: number | null;
            /** @description When. */
            time: string;
        };
        /** @description Deliveries, newest first. */
        DeliveryList: {
            /** @description Deliveries. */
            deliveries: components["schemas"]["Delivery"][];
        };
        /** @description One detection rule. */
        Detection: {
            /** @description Actions it may take. */
            actions: string[];
            /** @description What it looks for, in words. */
            condition: string;
            /** @description It runs. */
            enabled: boolean;
            /** @description Id. */
            id: string;
            /** @description Severity. */
            severity: string;
            /** @description Title. */
            title: string;
        };
        /** @description Detection rules. */
        DetectionList: {
            /** @description Rules. */
            detections: components["schemas"]["Detection"][];
        };
        /** @description A publisher's signature. */
        DraftSignature: {
            /** @description Id of the key, hex. */
            key_id: string;
            /** @description Ed25519, hex. */
            signature: string;
        };
        /** @description Signatures for the draft. */
        DraftSignatures: {
            /** @description Each over the draft's metadata. */
            signatures: components["schemas"]["DraftSignature"][];
        };
        /** @description Somebody went ahead in an emergency. */
        Emergency: {
            /** @description Working directory. */
            cwd: string;
            /** @description When its review is due. */
            due: string;
            /** @description Host name. */
            hostname: string;
            /** @description Emergency. */
            id: string;
            /** @description Machine. */
            machine_id: string;
            /** @description What was said. */
            note?: string | null;
            /** @description What the person said. */
            reason?: string | null;
            /** @description When it was reviewed. */
            reviewed?: string | null;
            /** @description By whom. */
            reviewed_by?: string | null;
            /** @description Risk. */
            risk: string;
            /** @description Rules that asked for approval. */
            rules: string[];
            /** @description `due`, `late` or `reviewed`. */
            status: string;
            /** @description Redacted text of the command. */
            text: string;
            /** @description When. */
            used: string;
            /** @description Person. */
            user: string;
            /** @description `justified` or `unjustified`. */
            verdict?: string | null;
        };
        /** @description Emergencies, newest first. */
        EmergencyList: {
            /** @description Emergencies. */
            emergencies: components["schemas"]["Emergency"][];
        };
        /** @description Shown once. */
        EnrolmentToken: {
            /** @description The command to type on the machine. */
            command: string;
            /** @description When it lapses. */
            expires: string;
            /** @description The whole line. */
            token: string;
        };
        /** @description Rows, newest first. */
        EventPage: {
            /** @description For the next page. */
            cursor?: string | null;
            /** @description What in the query was not understood. */
            problems: string[];
            /** @description Rows. */
            rows: components["schemas"]["EventRow"][];
            /**
             * Format: int64
             * @description Rows that match in all, counted up to 10,000.
             */
            total: number;
            /** @description The count stopped at its bound. */
            total_is_bound: boolean;
        };
        /** @description An event as a row. */
        EventRow: {
            /** @description Agent's name. */
            agent?: string | null;
            /** @description Decision, where there was one. */
            decision?: string | null;
            /** @description Event. */
            event_id: string;
            /** @description Event type. */
            event_type: string;
            /**
             * Format: int32
             * @description Exit status.
             */
            exit_code?: number | null;
            /** @description Host name. */
            hostname: string;
            /** @description Machine. */
            machine_id: string;
            /** @description `human`, `script`, `agent`. */
            origin: string;
            /** @description Reason. */
            reason?: string | null;
            /** @description When it was stored. */
            received: string;
            /** @description Risk. */
            risk?: string | null;
            /**
             * Format: int64
             * @description Server's row number: increases in the order of storing; the resume id of the live feed.
             */
            row: number;
            /** @description Rule that decided. */
            rule?: string | null;
            /**
             * Format: int64
             * @description Sequence number on its machine.
             */
            seq: number;
            /** @description Session. */
            session_id: string;
            /** @description Team. */
            team?: string | null;
            /** @description Redacted text, or a sentence where there is no command. */
            text: string;
            /** @description When it happened. */
            time: string;
            /** @description Person. */
            user: string;
        };
        /** @description One piece of evidence. */
        EvidenceItem: {
            /** @description What stands out, in sentences. */
            exceptions: string[];
            /** @description `E4`. */
            id: string;
            /** @description Query that yields the rows. */
            query: string;
            /**
             * Format: int64
             * @description How many rows.
             */
            rows: number;
            /** @description Sample of rows. */
            sample: components["schemas"]["EventRow"][];
            /** @description Seed of the sample. */
            seed: string;
            /** @description SHA-256 over the rows' event hashes in order, hex. */
            sha256: string;
            /** @description What it shows. */
            title: string;
        };
        /** @description An exception as it is asked for. */
        ExceptionAsked: {
            /** @description Only in this folder and below. */
            directory?: string | null;
            /**
             * Format: int64
             * @description Seconds from the approval on.
             */
            duration_s: number;
            /** @description Only for commands that fit this pattern. */
            pattern?: string | null;
            /** @description Rules to lift. */
            rules: string[];
            /** @description The command that it is about. */
            text?: string | null;
        };
        /** @description Exceptions, those that end last first. */
        ExceptionList: {
            /** @description Exceptions. */
            exceptions: components["schemas"]["ExceptionView"][];
        };
        /** @description An approved exception. */
        ExceptionView: {
            /** @description When it was approved. */
            approved: string;
            /** @description By whom. */
            approvers: string[];
            /** @description When it was asked for. */
            asked: string;
            /** @description Host name. */
            hostname: string;
            /** @description Exception: the request it came from. */
            id: string;
            /** @description Last command that one of the rules would have stopped. */
            last_used?: string | null;
            /** @description What it lifts. */
            lifts: components["schemas"]["ExceptionAsked"];
            /** @description Machine. */
            machine_id: string;
            /** @description What the person said. */
            reason?: string | null;
            /** @description When it was taken back. */
            revoked?: string | null;
            /** @description By whom. */
            revoked_by?: string | null;
            /** @description Why. */
            revoked_reason?: string | null;
            /** @description `active`, `expired` or `revoked`. */
            status: string;
            /** @description Last moment. */
            until: string;
            /** @description Person. */
            user: string;
            /**
             * Format: int64
             * @description How many there were.
             */
            uses: number;
        };
        /** @description What an export holds. */
        ExportHeader: {
            /**
             * Format: int64
             * @description Number of events that follow.
             */
            count: number;
            /**
             * Format: int64
             * @description Leaf index of the first event.
             */
            first_leaf: number;
            /** @description `cmdai.export/1`. */
            format: string;
            /** @description Start of the period; empty for the beginning. */
            from: string;
            /** @description Machine to sequence number and hash (hex) of its last event before the export. */
            heads: {
                [key: string]: components["schemas"]["ChainHead"];
            };
            /** @description Hashes of the left subtrees before `first_leaf`, hex, largest first. */
            left_edge: string[];
            /** @description Organisation. */
            organisation: string;
            /** @description Public key that signs checkpoints, base64. */
            public_key: string;
            /** @description End of the period; empty for now. */
            to: string;
        };
        /** @description One line of an export: exactly one field is there. */
        ExportLine: {
            checkpoint?: components["schemas"]["Checkpoint"] | null;
            event?: components["schemas"]["ExportedEvent"] | null;
            export?: components["schemas"]["ExportHeader"] | null;
        };
        /** @description An event in the ledger. */
        ExportedEvent: {
            /** @description The event, `cmdai.event/1`. */
            event: Record<string, never>;
            /**
             * Format: int64
             * @description Leaf index.
             */
            leaf: number;
        };
        /** @description A second factor. */
        Factor: {
            /** @description It was used once; before that it counts for nothing. */
            confirmed: boolean;
            /** @description When made. */
            created: string;
            /** @description Factor. */
            id: string;
            /** @description `totp` or `webauthn`. */
            kind: string;
            /** @description Last use. */
            last_used?: string | null;
            /** @description What its owner calls it. */
            name: string;
        };
        /** @description Second factors of the account. */
        FactorList: {
            /** @description Factors. */
            factors: components["schemas"]["Factor"][];
            /**
             * Format: int64
             * @description Recovery codes that are left.
             */
            recovery_codes: number;
            /** @description The policy asks for a second factor. */
            required: boolean;
        };
        /** @description One framework. */
        Framework: {
            /**
             * Format: int64
             * @description Controls in the map.
             */
            controls: number;
            /** @description Edition the map is made from. */
            edition: string;
            /** @description `SOC2`. */
            id: string;
            /** @description Title. */
            title: string;
        };
        /** @description Frameworks that reports exist for. */
        FrameworkList: {
            /** @description Frameworks. */
            frameworks: components["schemas"]["Framework"][];
        };
        /** @description A figure of the health gate. */
        GateFigure: {
            /** @description `change`, `problems`, `silent`. */
            id: string;
            /**
             * Format: int64
             * @description Above this the rollout halts.
             */
            limit: number;
            /** @description What it was counted over, or why it is not judged yet. */
            note: string;
            /** @description In words. */
            title: string;
            /**
             * Format: int64
             * @description As it is.
             */
            value: number;
        };
        /** @description Counts over time. */
        Histogram: {
            /** @description Buckets, oldest first. */
            buckets: components["schemas"]["HistogramBucket"][];
        };
        /** @description One bucket. */
        HistogramBucket: {
            /** @description Count by decision word; events without a decision under `none`. */
            counts: {
                [key: string]: number;
            };
            /** @description Start. */
            from: string;
        };
        /**
         * @description What a release would have changed against the one in force: documents compared, and recorded
         *     commands judged under both (`cmdai.impact/1`). Counts only: it is signed with the release.
         */
        Impact: {
            /**
             * Format: int64
             * @description Version that it is compared with.
             */
            against: number;
            /** @description There were more than could be looked at; these are the newest. */
            bounded: boolean;
            /** @description What the documents say differently, loosenings first. */
            changes: components["schemas"]["ImpactChange"][];
            /**
             * Format: int64
             * @description Commands that were judged.
             */
            commands: number;
            /**
             * Format: int32
             * @description Days of history that were looked at.
             */
            days: number;
            /** @description How often each decision. */
            decisions: components["schemas"]["ImpactCount"][];
            /** @description `cmdai.impact/1`. */
            format: string;
            /**
             * Format: int64
             * @description Commands decided less strictly.
             */
            looser: number;
            /** @description When. */
            made: string;
            /**
             * Format: int64
             * @description Changes that are not listed.
             */
            more_changes: number;
            /**
             * Format: int64
             * @description People who would have been interrupted less often.
             */
            people_less: number;
            /**
             * Format: int64
             * @description People who would have been interrupted more often.
             */
            people_more: number;
            /** @description How often rules fired, where that differs. */
            rules: components["schemas"]["ImpactCount"][];
            /**
             * Format: int64
             * @description Commands decided more strictly.
             */
            stricter: number;
        };
        /** @description One change of the document. */
        ImpactChange: {
            /** @description `looser`, `unclear`, `stricter`, `wording`. */
            direction: string;
            /** @description What will hold. */
            is?: string | null;
            /** @description What it is about. */
            subject: string;
            /** @description What held. */
            was?: string | null;
        };
        /** @description Commands of the last days that a draft decides differently. */
        ImpactCommand: {
            /**
             * Format: int64
             * @description How often it was run.
             */
            count: number;
            /** @description Under the new one. */
            new: string;
            /** @description Decision under the policy in force. */
            old: string;
            /** @description The rule that decides under the stricter of the two. */
            rule?: string | null;
            /** @description Redacted text. */
            text: string;
        };
        /** @description How often, before and after. */
        ImpactCount: {
            /** @description Of what. */
            name: string;
            /**
             * Format: int64
             * @description Under the new one.
             */
            new: number;
            /**
             * Format: int64
             * @description Under the policy in force.
             */
            old: number;
        };
        /** @description State of the ledger. */
        LedgerView: {
            checkpoint?: components["schemas"]["Checkpoint"] | null;
            /**
             * Format: int64
             * @description Events stored.
             */
            events: number;
            /** @description Public key, base64. */
            public_key: string;
        };
        /** @description A machine. */
        Machine: {
            /**
             * Format: int64
             * @description Last sequence number stored.
             */
            acked_seq: number;
            /** @description Capabilities. */
            capabilities: string[];
            /**
             * Format: int64
             * @description Commands in the last 24 hours.
             */
            commands: number;
            /** @description The newest policy is for newer engines than the one there (`min_engine`). */
            engine_too_old: boolean;
            /** @description Enrolled. */
            enrolled: string;
            /**
             * Format: int64
             * @description Gap events so far.
             */
            gaps: number;
            /**
             * Format: int64
             * @description Last sequence number the machine says it sealed.
             */
            head_seq: number;
            /** @description Host name. */
            hostname: string;
            /** @description Labels. */
            labels: {
                [key: string]: string;
            };
            /** @description Last contact. */
            last_seen?: string | null;
            /** @description Machine. */
            machine_id: string;
            /** @description The machine has carried the last order out. */
            order_done: boolean;
            /** @description Person. */
            person: string;
            /** @description Platform. */
            platform: string;
            /** @description It is the newest. */
            policy_current: boolean;
            /** @description Digest of the snapshot that is in force there. */
            policy_digest: string;
            /** @description When that proof lapses. */
            policy_expires?: string | null;
            /** @description Why the newest was refused. */
            policy_problem?: string | null;
            /** @description The road that its policy came by: `server`, `git`, `directory`, `file`. */
            policy_source: string;
            /** @description When freshness was last proven there. */
            policy_verified?: string | null;
            /** @description Installed policy. */
            policy_version: string;
            /** @description Why in quarantine. */
            quarantine?: string | null;
            /** @description Why its certificates were revoked. */
            revoked?: string | null;
            /** @description Its ring in the newest release; nothing where that is for all at once. */
            ring?: string | null;
            /** @description `active`, `silent`, `quarantined`, `revoked`, `retired`. */
            state: string;
            /** @description Versions. */
            versions: {
                [key: string]: string;
            };
            /**
             * Format: int64
             * @description Of them, violations.
             */
            violations: number;
        };
        /** @description A machine's certificates are revoked, or it is retired; the password is asked again. */
        MachineEnd: {
            /** @description The actor's own password. */
            password: string;
            /** @description Why; shown to the person at the machine. */
            reason: string;
        };
        /** @description Machines, silent ones first. */
        MachineList: {
            /** @description Machines. */
            machines: components["schemas"]["Machine"][];
        };
        /** @description Who is signed in. */
        Me: {
            /** @description The policy asks for a second factor and the account has none. */
            factor_missing: boolean;
            /** @description Groups. */
            groups: string[];
            /** @description The password is the one made at first start and must be changed soon. */
            initial_password: boolean;
            /** @description Login. */
            login: string;
            /** @description Organisation. */
            organisation: string;
            /** @description Role. */
            role: components["schemas"]["Role"];
            /** @description Acts that ask for the password ask for a code too. */
            second_factor: boolean;
            /** @description The account has a security key, which stands in for password and code. */
            security_key: boolean;
        };
        /** @description Asks for a challenge. */
        NewChallenge: {
            /** @description Method and path of the act that follows, such as `POST /api/v1/policy`. */
            act: string;
        };
        /** @description A token to enrol one machine. */
        NewEnrolmentToken: {
            /**
             * Format: int32
             * @description Hours it may wait, 1 to 720.
             */
            hours: number;
            /** @description Labels. */
            labels: {
                [key: string]: string;
            };
            /** @description The actor's own password. */
            password?: string | null;
            /** @description Person it is for. */
            person: string;
            /** @description Teams. */
            teams: string[];
            /**
             * Format: int32
             * @description How many machines may use it: 1, or more for a simulated fleet or an image.
             */
            uses: number;
        };
        /** @description A root of trust to be taken in. */
        NewRoot: {
            /** @description The caller's own password. */
            password: string;
            /** @description Its text. */
            root: string;
        };
        /** @description A new security key. */
        NewSecurityKey: {
            /** @description What its owner calls it. */
            name: string;
            /** @description The account's own password; empty where another security key proves who it is. */
            password: string;
        };
        /** @description A token for a program. */
        NewToken: {
            /**
             * Format: int32
             * @description Days until it lapses, 1 to 365.
             */
            days: number;
            /** @description What it is for. */
            name: string;
        };
        /** @description A new authenticator app. */
        NewTotp: {
            /** @description What its owner calls it. */
            name: string;
            /** @description The account's own password. */
            password: string;
        };
        /** @description A new account. */
        NewUser: {
            /** @description Groups, for approvals. */
            groups?: string[] | null;
            /** @description Login. */
            login: string;
            /** @description Password, at least 12 characters. */
            password: string;
            /** @description Login name on machines. */
            person: string;
            /** @description Role. */
            role: components["schemas"]["Role"];
            /** @description The actor's own password. */
            your_password?: string | null;
        };
        /** @description A note. */
        Note: {
            /** @description Who. */
            author: string;
            /** @description What. */
            text: string;
            /** @description When. */
            time: string;
        };
        /** @description The last 24 hours, beside the 24 before them. */
        Overview: {
            /**
             * Format: int64
             * @description AI agents seen (distinct agent names and machines).
             */
            agents: number;
            /** @description Commands blocked. */
            blocked: components["schemas"]["Trend"];
            /** @description What changed since yesterday: sentences with a link each. */
            changes: components["schemas"]["Change"][];
            /** @description Commands judged. */
            commands: components["schemas"]["Trend"];
            /** @description Commands within policy per 10,000 judged. */
            compliance: components["schemas"]["Trend"];
            /**
             * Format: int64
             * @description Target of the same, per 10,000.
             */
            compliance_target: number;
            /** @description By hour, oldest first, 24 entries. */
            hours: components["schemas"]["HistogramBucket"][];
            /**
             * Format: int64
             * @description Machines enrolled.
             */
            machines: number;
            /**
             * Format: int64
             * @description Machines with that version.
             */
            machines_current: number;
            /**
             * Format: int64
             * @description Open alerts.
             */
            open_alerts: number;
            /** @description Policy version in force. */
            policy_version: string;
            /**
             * Format: int64
             * @description Of them, in quarantine.
             */
            quarantined: number;
            /**
             * Format: int64
             * @description Of them, silent.
             */
            silent: number;
            /** @description Rules that fired most. */
            top_rules: components["schemas"]["Count"][];
            /**
             * Format: int64
             * @description Requests that wait now.
             */
            waiting: number;
        };
        /** @description A new password; every other session and token of the account ends. */
        PasswordChange: {
            /** @description The password from now on, at least 12 characters. */
            new_password: string;
            /** @description The password until now. */
            password: string;
        };
        /** @description What is wrong with it. */
        PolicyCheck: {
            /** @description Complaints in the order of the text. */
            diagnostics: components["schemas"]["PolicyDiagnostic"][];
            /** @description Results of the tests in the document. */
            tests: components["schemas"]["PolicyTestResult"][];
            /** @description It may be published. */
            valid: boolean;
        };
        /** @description A complaint with its place. */
        PolicyDiagnostic: {
            /**
             * Format: int32
             * @description Column, from 1.
             */
            column: number;
            /** @description What to do. */
            help?: string | null;
            /**
             * Format: int32
             * @description Line, from 1.
             */
            line: number;
            /** @description What. */
            message: string;
            /** @description `error` or `warning`. */
            severity: string;
        };
        /** @description A release that waits for signatures. */
        PolicyDraft: {
            /** @description It waits for a review by somebody else than `by`. */
            awaits_review: boolean;
            /** @description Who made it. */
            by: string;
            /**
             * @description Recorded commands that it would decide differently, worst first, for who reviews it. They
             *     stay on the server.
             */
            commands: components["schemas"]["ImpactCommand"][];
            /** @description SHA-256 over everything that would be released and what is said about it, hex. */
            digest: string;
            impact?: components["schemas"]["Impact"] | null;
            /** @description SHA-256 of that report as it is signed, hex; empty where there is none. */
            impact_sha256: string;
            /** @description It changes nothing of the newest release but the security keys of approvers. */
            keys_only: boolean;
            /** @description When. */
            made: string;
            /**
             * Format: int64
             * @description How many are needed.
             */
            needed: number;
            /** @description What changed and why. */
            note: string;
            /**
             * Format: int64
             * @description Its number.
             */
            release: number;
            /** @description Who looked at it; empty where nobody did. */
            reviewed_by: string;
            /** @description Names of the rings. */
            rings: string[];
            /** @description It brings older content back. */
            rollback: boolean;
            /** @description Holders whose keys have signed. */
            signed_by: string[];
        };
        /** @description What a document would change against the policy in force, before it is put up. */
        PolicyImpact: {
            /** @description Commands that would be decided differently, worst first. */
            commands: components["schemas"]["ImpactCommand"][];
            /** @description The report, as a release would carry it. */
            impact: components["schemas"]["Impact"];
        };
        /** @description A key. */
        PolicyKey: {
            /** @description Id, hex. */
            id: string;
            /** @description Holder. */
            name: string;
            /** @description `root`, `publisher`, `snapshot`, `timestamp`. */
            role: string;
            /**
             * Format: int64
             * @description How many of the role's keys must sign.
             */
            threshold: number;
        };
        /** @description Keys of releases. */
        PolicyKeys: {
            /** @description Every key with its role. */
            keys: components["schemas"]["PolicyKey"][];
            /** @description The root that waits for the next release. */
            next_root?: string | null;
            /** @description The server's own keys, as `policy keys init` reads them. */
            online: string;
            /** @description The root in force, as text; empty where there is none yet. */
            root: string;
            /** @description `server` or `people`. */
            signing: string;
        };
        /** @description Publishing; the password is asked again. */
        PolicyPublish: {
            /**
             * Format: int64
             * @description Version it was made from; a conflict where it is not in force any more.
             */
            base_version: number;
            /** @description The place that the policy comes from, such as `REPOSITORY@COMMIT`. */
            managed_by?: string | null;
            /** @description What changed and why. */
            note: string;
            /** @description The actor's own password. */
            password: string;
            /** @description Plan of the rollout in YAML; nothing: the standing one; empty: every machine at once. */
            rollout?: string | null;
            /** @description YAML. */
            source: string;
        };
        /** @description One release. */
        PolicyRelease: {
            impact?: components["schemas"]["Impact"] | null;
            /** @description SHA-256 of that report as it was signed, hex; empty where there is none. */
            impact_sha256: string;
            /** @description What was said. */
            note: string;
            /** @description When. */
            published: string;
            /** @description Who. */
            published_by: string;
            /** @description Who looked at it before it went out; empty where nobody had to. */
            reviewed_by: string;
            /** @description SHA-256 of the source, hex. */
            sha256: string;
            /**
             * Format: int64
             * @description Version.
             */
            version: number;
        };
        /** @description A source to check. */
        PolicySource: {
            /** @description YAML. */
            source: string;
        };
        /** @description A test of the document. */
        PolicyTestResult: {
            /** @description Command. */
            command: string;
            /** @description Expected decision. */
            expected: string;
            /** @description Found decision. */
            found: string;
            /** @description They agree. */
            passed: boolean;
        };
        /** @description The organisation's policy. */
        PolicyView: {
            draft?: components["schemas"]["PolicyDraft"] | null;
            /** @description Releases, newest first. */
            history: components["schemas"]["PolicyRelease"][];
            /**
             * Format: int64
             * @description Machines in all.
             */
            machines: number;
            /**
             * Format: int64
             * @description Machines with this version.
             */
            machines_current: number;
            /** @description The policy comes from this place, such as `REPOSITORY@COMMIT`; it is not edited here. */
            managed_by?: string | null;
            /** @description The standing plan for rollouts, in YAML; empty: every machine at once. */
            plan: string;
            /** @description When. */
            published: string;
            /** @description Who published it. */
            published_by: string;
            rollout?: components["schemas"]["RolloutView"] | null;
            /** @description A new root of trust waits for the next release. */
            root_waits: boolean;
            /** @description SHA-256 of the source, hex. */
            sha256: string;
            /** @description Who signs releases: `server`, which then holds every key, or `people`. */
            signing: string;
            /** @description Source. */
            source: string;
            /**
             * Format: int64
             * @description Version in force; 0 before the first.
             */
            version: number;
        };
        /** @description Into or out of quarantine; the password is asked again. */
        QuarantineChange: {
            /** @description In, or out. */
            on: boolean;
            /** @description The actor's own password. */
            password: string;
            /** @description Why; shown to the person. */
            reason: string;
        };
        /** @description Each stands in for a code once. Shown once. */
        RecoveryCodes: {
            /** @description Codes. */
            codes: string[];
        };
        /** @description Somebody other than the author has looked at the draft; the password is asked again. */
        ReleaseReview: {
            /** @description It may go out; else it is dropped. */
            approve: boolean;
            /** @description [`PolicyDraft::digest`] of the draft that was looked at: another one is not agreed to. */
            digest: string;
            /** @description What was found. */
            note: string;
            /** @description The actor's own password. */
            password: string;
        };
        /** @description A report: what was tested and found. It never says "compliant". */
        Report: {
            /** @description Completeness of the period, in words, with numbers. */
            completeness: components["schemas"]["Completeness"];
            /**
             * Format: int64
             * @description Commands within policy per 10,000 judged.
             */
            compliance: number;
            /** @description Controls. */
            controls: components["schemas"]["ControlResult"][];
            /**
             * Format: int64
             * @description Events in the period.
             */
            events: number;
            /** @description Framework. */
            framework: components["schemas"]["Framework"];
            /** @description Start of the period. */
            from: string;
            /** @description When it was made. */
            generated: string;
            /** @description By whom. */
            generated_by: string;
            /** @description Organisation. */
            organisation: string;
            /** @description End of the period. */
            to: string;
        };
        /** @description A review, by somebody else; the password is asked again. */
        Review: {
            /** @description What was found. */
            note: string;
            /** @description The actor's own password. */
            password: string;
            /** @description `justified` or `unjustified`. */
            verdict: string;
        };
        /** @description Takes an exception back; the password is asked again. */
        Revocation: {
            /** @description The actor's own password. */
            password: string;
            /** @description Why. */
            reason: string;
        };
        /**
         * @description What an account may do.
         * @enum {string}
         */
        Role: "viewer" | "auditor" | "security" | "administrator";
        /** @description What is to become of a rollout. */
        RolloutChange: {
            /** @description `halt`, `continue`, `rollback`, or `unmanage`: the policy is edited here again. */
            action: string;
            /** @description The caller's own password. */
            password: string;
            /** @description Why. */
            reason: string;
        };
        /** @description A ring. */
        RolloutRing: {
            /**
             * Format: int64
             * @description Of those, have it.
             */
            current: number;
            /**
             * Format: int64
             * @description Machines in it that are about.
             */
            members: number;
            /** @description Name. */
            name: string;
            /**
             * Format: int64
             * @description Of those, offered the release.
             */
            offered: number;
            /**
             * Format: int64
             * @description Of those, could not install it.
             */
            problems: number;
            /**
             * Format: int64
             * @description Of those, went silent.
             */
            silent: number;
            /** @description `closed`, `opening`, `waiting` or `open`. */
            state: string;
            /** @description Whom it takes, in words. */
            takes: string;
            /**
             * Format: int64
             * @description Seconds to wait before the next ring.
             */
            wait_s: number;
        };
        /** @description How a release spreads. */
        RolloutView: {
            /**
             * Format: int64
             * @description Machines that are not heard of and join later.
             */
            away: number;
            /** @description When it went out. */
            begun: string;
            /** @description The figures of the health gate. */
            gate: components["schemas"]["GateFigure"][];
            /**
             * Format: int64
             * @description Most machines on the way at a time; 0: no bound.
             */
            max_in_flight: number;
            /** @description What may be done: `halt`, `continue`, `rollback`. */
            may: string[];
            /** @description `draft`, `spreading`, `halted`, `done`, `rolled_back`, `replaced`. */
            phase: string;
            /** @description Why it halted, or what it came to. */
            reason: string;
            /**
             * Format: int64
             * @description The release.
             */
            release: number;
            /** @description Its rings, in order; none where it was for every machine at once. */
            rings: components["schemas"]["RolloutRing"][];
            /**
             * Format: int64
             * @description What a rollback brings back, where there is something.
             */
            rollback_to?: number | null;
        };
        /** @description A security key that counts from now on. */
        SecurityKeyAdded: {
            /** @description The key. */
            factor: components["schemas"]["Factor"];
            /** @description Machines accept it under grants: it is in the newest release. */
            on_machines: boolean;
            /** @description New recovery codes, where the account had none; shown once. */
            recovery_codes: string[];
        };
        /** @description What the browser needs to make a credential; bytes are base64url. */
        SecurityKeyCreation: {
            /** @description Algorithms by their COSE numbers, wanted first. */
            algorithms: number[];
            /** @description Challenge. */
            challenge: string;
            /** @description Credentials that the account has already. */
            exclude: string[];
            /** @description What keys are bound to: the console's host name. */
            rp_id: string;
            /** @description Name to show. */
            rp_name: string;
            /**
             * Format: int32
             * @description Milliseconds.
             */
            timeout_ms: number;
            /** @description Opaque id of the account. */
            user_id: string;
            /** @description Login. */
            user_name: string;
        };
        /** @description What the browser made; bytes are base64url. */
        SecurityKeyMade: {
            /** @description The attestation object; an attestation in it is passed over. */
            attestation_object: string;
            /** @description The challenge that it answers. */
            challenge: string;
            /** @description What the browser says of the ceremony. */
            client_data_json: string;
            /** @description Id of the credential. */
            credential_id: string;
        };
        /** @description Signing in. */
        SignIn: {
            /** @description Login. */
            login: string;
            /** @description Password. */
            password: string;
        };
        /** @description A token of a program. */
        Token: {
            /** @description When made. */
            created: string;
            /** @description When it lapses. */
            expires: string;
            /** @description Token. */
            id: string;
            /** @description Whose. */
            login: string;
            /** @description What it is for. */
            name: string;
        };
        /** @description Tokens, newest first: one's own, an administrator's are all. */
        TokenList: {
            /** @description Tokens. */
            tokens: components["schemas"]["Token"][];
        };
        /** @description Shown once. */
        TokenMade: {
            /** @description When it lapses. */
            expires: string;
            /** @description The secret. */
            token: string;
        };
        /** @description A code of the authenticator app. */
        TotpCode: {
            /** @description Six digits. */
            code: string;
        };
        /** @description For the authenticator app; shown once. */
        TotpMade: {
            /** @description Factor. */
            id: string;
            /** @description The shared secret, base32. */
            secret: string;
            /** @description The same as an `otpauth://` address. */
            uri: string;
        };
        /** @description A number and the one before. */
        Trend: {
            /**
             * Format: int64
             * @description In the period before.
             */
            before: number;
            /**
             * Format: int64
             * @description Now.
             */
            now: number;
        };
        /** @description An account. */
        User: {
            /** @description Id in the chat service. */
            chat?: string | null;
            /** @description When made. */
            created: string;
            /** @description Groups, for approvals. */
            groups: string[];
            /** @description Last sign-in. */
            last_seen?: string | null;
            /** @description Login. */
            login: string;
            /** @description Login name on machines, so that nobody approves for themselves. */
            person: string;
            /** @description Role. */
            role: components["schemas"]["Role"];
            /** @description It has a second factor. */
            second_factor: boolean;
        };
        /** @description A change to an account; fields left out stay. The password is asked again. */
        UserChange: {
            /** @description Id in the chat service; empty for none. */
            chat?: string | null;
            /** @description Groups. */
            groups?: string[] | null;
            /** @description The actor's own password. */
            password: string;
            /** @description Take the second factors away, where their owner has lost them. */
            reset_factors?: boolean | null;
            role?: components["schemas"]["Role"] | null;
        };
        /** @description Accounts. */
        UserList: {
            /** @description Accounts. */
            users: components["schemas"]["User"][];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listAlerts: {
        parameters: {
            query?: {
                /** @description `open`, `acknowledged` or `closed` */
                status?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertList"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    changeAlert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AlertChange"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Alert"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    listApprovals: {
        parameters: {
            query?: {
                /** @description `pending`, `granted`, `denied`, `expired` or `consumed` */
                status?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalList"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    decideApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApprovalDecision"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    makeChallenge: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewChallenge"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Challenge"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    listChannels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelList"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    putChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Channel"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Channel"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    deleteChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    testChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivery"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    slackAction: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    listDeliveries: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryList"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    listDetections: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetectionList"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    listEmergencies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmergencyList"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    reviewEmergency: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Review"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Emergency"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    makeEnrolmentToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewEnrolmentToken"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrolmentToken"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    searchEvents: {
        parameters: {
            query?: {
                /** @description query: words and fields such as `user:alice decision:deny since:90d` */
                q?: string;
                /** @description not before, RFC 3339 or a date */
                from?: string;
                /** @description before, RFC 3339 or a date */
                to?: string;
                /** @description from the page before */
                cursor?: string;
                /** @description rows, 1 to 500; 100 where left out */
                limit?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getHistogram: {
        parameters: {
            query?: {
                /** @description query: words and fields such as `user:alice decision:deny since:90d` */
                q?: string;
                /** @description not before, RFC 3339 or a date */
                from?: string;
                /** @description before, RFC 3339 or a date */
                to?: string;
                /** @description 1 to 200; 48 where left out */
                buckets?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Histogram"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    listExceptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExceptionList"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    revokeException: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Revocation"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExceptionView"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    export: {
        parameters: {
            query?: {
                /** @description not before, RFC 3339 or a date */
                from?: string;
                /** @description before, RFC 3339 or a date */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": components["schemas"]["ExportLine"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    listFactors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FactorList"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    addTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewTotp"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TotpMade"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    confirmTotp: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TotpCode"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    addSecurityKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSecurityKey"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecurityKeyCreation"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    confirmSecurityKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecurityKeyMade"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecurityKeyAdded"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    removeFactor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Confirmation"];
            };
        };
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getLedger: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LedgerView"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["EventRow"] | components["schemas"]["Alert"] | components["schemas"]["Approval"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    listMachines: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MachineList"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getMachine: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Machine"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    quarantineMachine: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QuarantineChange"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Machine"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    retireMachine: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MachineEnd"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Machine"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    revokeMachine: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MachineEnd"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Machine"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getOpenapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getOverview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overview"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyView"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    publishPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PolicyPublish"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyView"];
                };
            };
            /** @description the policy is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyCheck"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getApprovers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApproverKeys"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    publishApprovers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Confirmation"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApproverKeys"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    exportRelease: {
        parameters: {
            query?: {
                /** @description version of the root that the machines trust; 1 where left out */
                root?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    checkPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PolicySource"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyCheck"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getDraft: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    signDraft: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DraftSignatures"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyView"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    dropDraft: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    reviewDraft: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReleaseReview"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyView"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    simulatePolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PolicySource"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyImpact"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyKeys"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    steerRollout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RolloutChange"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyView"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    putRoot: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRoot"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyKeys"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    listFrameworks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FrameworkList"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getReport: {
        parameters: {
            query?: {
                /** @description not before, RFC 3339 or a date */
                from?: string;
                /** @description before, RFC 3339 or a date */
                to?: string;
            };
            header?: never;
            path: {
                framework: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Report"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getReportPage: {
        parameters: {
            query?: {
                /** @description not before, RFC 3339 or a date */
                from?: string;
                /** @description before, RFC 3339 or a date */
                to?: string;
            };
            header?: never;
            path: {
                framework: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignIn"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    challengeSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignIn"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Challenge"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    listTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenList"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    makeToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewToken"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenMade"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    deleteToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    listUsers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserList"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    addUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUser"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    changeUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                login: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserChange"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
    deleteUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                login: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description what is wrong and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiError"];
                };
            };
        };
    };
}
