//! Tokens that vendors issue, told by their prefix, alphabet and length.

use Alphabet::{Alnum, Base64, Dotted, Hex, Upper, Url};

/// Alphabet of the part after the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// `A-Z 0-9`.
    Upper,
    /// `A-Z a-z 0-9`.
    Alnum,
    /// Alnum, `_` and `-`.
    Url,
    /// Url and `.`.
    Dotted,
    /// Alnum and `+ / = - _`.
    Base64,
    /// `0-9 a-f`.
    Hex,
}

impl Alphabet {
    pub(crate) fn has(self, byte: u8) -> bool {
        match self {
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::Base64 => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
            }
            Self::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        }
    }
}

/// One vendor's token.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) prefix: &'static str,
    pub(crate) alphabet: Alphabet,
    /// Fewest characters after the prefix.
    pub(crate) least: usize,
    /// Just `least` characters and no more: for prefixes that begin words of capitals.
    pub(crate) exact: bool,
    pub(crate) kind: &'static str,
    /// The part after the prefix has a digit and a letter, for prefixes that occur in words.
    pub(crate) mixed: bool,
}

const fn shape(
    prefix: &'static str,
    alphabet: Alphabet,
    least: usize,
    kind: &'static str,
) -> Shape {
    Shape {
        prefix,
        alphabet,
        least,
        exact: false,
        kind,
        mixed: false,
    }
}

const fn mixed(
    prefix: &'static str,
    alphabet: Alphabet,
    least: usize,
    kind: &'static str,
) -> Shape {
    Shape {
        prefix,
        alphabet,
        least,
        exact: false,
        kind,
        mixed: true,
    }
}

const fn exact(
    prefix: &'static str,
    alphabet: Alphabet,
    least: usize,
    kind: &'static str,
) -> Shape {
    Shape {
        prefix,
        alphabet,
        least,
        kind,
        mixed: false,
        exact: true,
    }
}

/// All vendor tokens.
pub(crate) static SHAPES: &[Shape] = &[
    exact("AKIA", Upper, 16, "aws-key"),
    exact("ASIA", Upper, 16, "aws-key"),
    exact("ABIA", Upper, 16, "aws-key"),
    exact("ACCA", Upper, 16, "aws-key"),
    shape("ABSK", Base64, 100, "aws-key"),
    shape("ghp_", Alnum, 30, "gh-token"),
    shape("gho_", Alnum, 30, "gh-token"),
    shape("ghu_", Alnum, 30, "gh-token"),
    shape("ghs_", Alnum, 30, "gh-token"),
    shape("ghr_", Alnum, 30, "gh-token"),
    shape("github_pat_", Url, 30, "gh-token"),
    shape("glpat-", Dotted, 16, "gitlab-token"),
    shape("gldt-", Url, 16, "gitlab-token"),
    shape("glrt-", Dotted, 16, "gitlab-token"),
    shape("glptt-", Url, 16, "gitlab-token"),
    shape("glcbt-", Url, 16, "gitlab-token"),
    shape("glsoat-", Url, 16, "gitlab-token"),
    shape("glft-", Url, 16, "gitlab-token"),
    shape("glagent-", Url, 30, "gitlab-token"),
    shape("xoxb-", Url, 16, "slack-token"),
    shape("xoxa-", Url, 16, "slack-token"),
    shape("xoxp-", Url, 16, "slack-token"),
    shape("xoxr-", Url, 16, "slack-token"),
    shape("xoxs-", Url, 16, "slack-token"),
    shape("xoxc-", Url, 16, "slack-token"),
    shape("xoxd-", Url, 16, "slack-token"),
    shape("xoxe.", Dotted, 16, "slack-token"),
    shape("xapp-", Url, 16, "slack-token"),
    shape("hooks.slack.com/services/", Base64, 20, "webhook"),
    shape("discord.com/api/webhooks/", Base64, 20, "webhook"),
    shape("discordapp.com/api/webhooks/", Base64, 20, "webhook"),
    shape("sk-ant-", Url, 16, "api-key"),
    shape("sk-proj-", Url, 16, "api-key"),
    shape("sk-svcacct-", Url, 16, "api-key"),
    shape("sk-or-v1-", Url, 16, "api-key"),
    mixed("sk-", Url, 20, "api-key"),
    shape("sk_live_", Alnum, 10, "stripe-key"),
    shape("sk_test_", Alnum, 10, "stripe-key"),
    shape("rk_live_", Alnum, 10, "stripe-key"),
    shape("rk_test_", Alnum, 10, "stripe-key"),
    shape("whsec_", Base64, 16, "stripe-key"),
    shape("AIza", Url, 30, "google-key"),
    shape("ya29.", Dotted, 16, "google-token"),
    shape("GOCSPX-", Url, 16, "google-secret"),
    shape("npm_", Alnum, 30, "npm-token"),
    shape("pypi-AgE", Url, 30, "pypi-token"),
    shape("pypi-", Url, 60, "pypi-token"),
    mixed("rubygems_", Hex, 30, "gem-token"),
    mixed("SG.", Dotted, 30, "sendgrid-key"),
    shape("hf_", Alnum, 30, "huggingface-token"),
    shape("api_org_", Alnum, 30, "huggingface-token"),
    shape("dop_v1_", Hex, 30, "digitalocean-token"),
    shape("doo_v1_", Hex, 30, "digitalocean-token"),
    shape("dor_v1_", Hex, 30, "digitalocean-token"),
    mixed("eyJ", Dotted, 30, "jwt"),
    shape("hvs.", Url, 20, "vault-token"),
    shape("hvb.", Url, 20, "vault-token"),
    mixed("s.", Alnum, 24, "vault-token"),
    shape("dckr_pat_", Url, 16, "docker-token"),
    shape("dckr_oat_", Url, 16, "docker-token"),
    shape("shpat_", Hex, 20, "shopify-token"),
    shape("shpca_", Hex, 20, "shopify-token"),
    shape("shppa_", Hex, 20, "shopify-token"),
    shape("shpss_", Hex, 20, "shopify-token"),
    shape("sq0atp-", Url, 16, "square-token"),
    shape("sq0csp-", Url, 16, "square-token"),
    mixed("EAAA", Url, 50, "square-token"),
    shape("lin_api_", Alnum, 20, "linear-key"),
    shape("secret_", Alnum, 40, "notion-token"),
    shape("ntn_", Alnum, 30, "notion-token"),
    shape("figd_", Url, 20, "figma-token"),
    shape("pscale_tkn_", Dotted, 20, "planetscale-token"),
    shape("pscale_pw_", Dotted, 20, "planetscale-token"),
    shape("dapi", Hex, 32, "databricks-token"),
    shape("PMAK-", Url, 20, "postman-key"),
    shape("NRAK-", Upper, 20, "newrelic-key"),
    shape("glsa_", Url, 20, "grafana-token"),
    mixed("glc_", Base64, 30, "grafana-token"),
    shape("sntrys_", Base64, 20, "sentry-token"),
    shape("sntryu_", Hex, 30, "sentry-token"),
    shape("HRKU-", Url, 20, "heroku-key"),
    shape("tskey-", Url, 16, "tailscale-key"),
    shape("fo1_", Url, 20, "fly-token"),
    mixed("FlyV1", Base64, 20, "fly-token"),
    shape("r8_", Alnum, 30, "replicate-token"),
    shape("gsk_", Alnum, 30, "api-key"),
    shape("xai-", Alnum, 30, "api-key"),
    shape("pplx-", Alnum, 30, "api-key"),
    shape("nvapi-", Url, 30, "api-key"),
    mixed("key-", Hex, 32, "api-key"),
    shape("dp.pt.", Alnum, 30, "doppler-token"),
    shape("dp.st.", Dotted, 30, "doppler-token"),
    mixed("pul-", Hex, 40, "pulumi-token"),
    shape("atlasv1.", Url, 30, "terraform-token"),
    shape(".atlasv1.", Url, 30, "terraform-token"),
    shape("CFPAT-", Url, 20, "contentful-token"),
    shape("AGE-SECRET-KEY-1", Upper, 30, "private-key"),
    shape("ATATT3", Base64, 30, "atlassian-token"),
    shape("ATCTT3", Base64, 30, "atlassian-token"),
    mixed("ATBB", Alnum, 24, "atlassian-token"),
    shape("cio_", Alnum, 30, "token"),
    mixed("sbp_", Hex, 30, "supabase-token"),
    shape("sb_secret_", Url, 16, "supabase-token"),
    shape("vercel_", Alnum, 20, "token"),
    shape("nfp_", Alnum, 20, "netlify-token"),
    shape("rnd_", Alnum, 20, "render-key"),
    mixed("re_", Url, 30, "resend-key"),
    shape("phc_", Alnum, 30, "posthog-key"),
    shape("phx_", Alnum, 30, "posthog-key"),
    shape("AccountKey=", Base64, 20, "azure-key"),
    shape("SharedAccessKey=", Base64, 20, "azure-key"),
];
