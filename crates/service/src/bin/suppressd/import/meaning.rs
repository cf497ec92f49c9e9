//! What a row of each kind of list says.

use std::borrow::Cow;

use suppressd_core::{Address, Error, UnixSeconds};

use super::kind::Kind;
use crate::cli::ImportFormat;

/// What a row says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// An address is suppressed.
    Suppressed(Suppressed),
    /// It suppresses nobody, for this reason.
    Skipped(&'static str),
    /// It cannot be read, for this reason.
    Refused(String),
}

/// An address, and why it is suppressed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Suppressed {
    pub(super) address: Address,
    /// In a word or two, to be counted by.
    pub(super) cause: &'static str,
    /// What else the list says of it.
    pub(super) words: String,
    /// Since when, if that can be read.
    pub(super) since: Option<UnixSeconds>,
    /// Until when; for good if there is no end.
    pub(super) until: Option<UnixSeconds>,
}

/// A row as the kinds read it, by the plain names of its columns.
pub(super) trait Fields {
    /// The text in a column; empty if there is none.
    fn get(&self, column: &str) -> Cow<'_, str>;

    /// Whether the list has that column.
    fn has(&self, column: &str) -> bool;
}

/// Reads a row, as of `now`.
pub(super) fn read(kind: Kind, fields: &impl Fields, now: UnixSeconds) -> Meaning {
    let Told { cause, words, since, until } = match kind.format {
        ImportFormat::Suppressd => of_suppressd(fields),
        ImportFormat::Sendgrid => of_sendgrid(fields),
        ImportFormat::Mailgun => of_mailgun(fields),
        ImportFormat::Ses => of_ses(fields),
        ImportFormat::Postmark => of_postmark(fields),
        ImportFormat::Mailchimp => of_mailchimp(fields),
        ImportFormat::Sparkpost => of_sparkpost(fields),
    };
    let address = match address(kind, &fields.get(kind.address_column())) {
        Ok(address) => address,
        Err(error) => return Meaning::Refused(error.to_string()),
    };
    let Some(cause) = cause else { return Meaning::Skipped("not suppressed there") };
    let until = match (until.trim(), UnixSeconds::from_list(&until)) {
        ("", _) => None,
        // For good would be for too long, and not at all too little.
        (_, None) => return Meaning::Refused("expire_time: is no time".to_owned()),
        (_, Some(until)) if until <= now => return Meaning::Skipped("expired"),
        (_, Some(until)) => Some(until),
    };
    Meaning::Suppressed(Suppressed { address, cause, words, since: UnixSeconds::from_list(&since), until })
}

/// Other services know of no whole domains: what looks like one there is a slip, and would suppress everybody of it.
fn address(kind: Kind, text: &str) -> Result<Address, Error> {
    match kind.format {
        ImportFormat::Suppressd => text.parse(),
        ImportFormat::Sendgrid
        | ImportFormat::Mailgun
        | ImportFormat::Ses
        | ImportFormat::Postmark
        | ImportFormat::Mailchimp
        | ImportFormat::Sparkpost => Address::recipient(text),
    }
}

/// What a row says beside the address.
struct Told<'a> {
    /// None if the address is not suppressed.
    cause: Option<&'static str>,
    words: String,
    since: Cow<'a, str>,
    until: Cow<'a, str>,
}

impl<'a> Told<'a> {
    fn new(cause: &'static str, words: &[Cow<'_, str>], since: Cow<'a, str>) -> Self {
        let words: Vec<&str> = words.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
        Self { cause: Some(cause), words: words.join(" "), since, until: Cow::Borrowed("") }
    }
}

/// An exported list. Evidence is not made up: what was suppressed by it becomes an entry that says so.
fn of_suppressd(fields: &impl Fields) -> Told<'_> {
    let (who, note) = (fields.get("who"), fields.get("note"));
    let (cause, words) = match &*fields.get("reason").to_ascii_lowercase() {
        "hard_bounce" => ("hard bounce", fields.get("detail")),
        "soft_bounces" => ("soft bounces", fields.get("detail")),
        "complaint" => ("complaint", fields.get("detail")),
        _ if who.is_empty() => ("manual", note),
        _ => ("manual", Cow::Owned(format!("{note}, by {who}"))),
    };
    Told { until: fields.get("expiretime"), ..Told::new(cause, &[words], fields.get("suppressedat")) }
}

/// Its bounces and its blocks look alike; reports of spam have an `ip`, invalid addresses a `reason` without a `status`.
fn of_sendgrid(fields: &impl Fields) -> Told<'_> {
    let cause = match (fields.has("status"), fields.has("ip"), fields.has("reason")) {
        (true, _, _) => "bounce",
        (false, true, _) => "complaint",
        (false, false, true) => "invalid address",
        (false, false, false) => "unsubscribe",
    };
    Told::new(cause, &[fields.get("status"), fields.get("reason")], fields.get("created"))
}

fn of_mailgun(fields: &impl Fields) -> Told<'_> {
    let tags = [fields.get("tags"), fields.get("tag")].concat();
    let cause = if fields.has("code") || fields.has("error") {
        "bounce"
    } else if fields.has("tags") || fields.has("tag") {
        match tags.trim_matches(|letter: char| "[]\"' ".contains(letter)) {
            "" | "*" => "unsubscribe",
            // There are no tags here, and who asked for less mail gets none.
            _ => return Told::new("unsubscribe from some tags", &[tags.into()], fields.get("createdat")),
        }
    } else {
        "complaint"
    };
    Told::new(cause, &[fields.get("code"), fields.get("error")], fields.get("createdat"))
}

fn of_ses(fields: &impl Fields) -> Told<'_> {
    let reason = fields.get("reason");
    let cause = match &*reason.trim().to_ascii_uppercase() {
        "BOUNCE" => "bounce",
        "COMPLAINT" => "complaint",
        _ => "other",
    };
    let words = if cause == "other" { reason } else { Cow::Borrowed("") };
    Told::new(cause, &[words], fields.get("lastupdatetime"))
}

fn of_postmark(fields: &impl Fields) -> Told<'_> {
    let (reason, origin) = (fields.get("suppressionreason"), fields.get("origin"));
    let cause = match (&*reason.trim().to_ascii_lowercase(), &*origin.trim().to_ascii_lowercase()) {
        ("hardbounce", _) => "bounce",
        ("spamcomplaint", _) => "complaint",
        ("manualsuppression", "recipient") => "unsubscribe",
        ("manualsuppression", _) => "manual",
        (_, _) => "other",
    };
    let words = if cause == "other" { reason } else { Cow::Borrowed("") };
    Told::new(cause, &[words], fields.get("createdat"))
}

/// Of its lists of members, only those hold somebody who is suppressed that say when that came about.
fn of_mailchimp(fields: &impl Fields) -> Told<'_> {
    let (unsubscribed, cleaned) = (fields.get("unsubtime"), fields.get("cleantime"));
    if !unsubscribed.trim().is_empty() {
        return Told::new("unsubscribe", &[fields.get("unsubreason"), fields.get("unsubreasonother")], unsubscribed);
    }
    let is_member = cleaned.trim().is_empty();
    let told = Told::new("bounce", &[fields.get("cleancampaigntitle")], cleaned);
    if is_member { Told { cause: None, ..told } } else { told }
}

/// It keeps transactional mail and other mail apart; whoever is not to get one of them gets none here.
fn of_sparkpost(fields: &impl Fields) -> Told<'_> {
    let source = fields.get("source");
    let cause = match &*source.trim().to_ascii_lowercase() {
        "spam complaint" => "complaint",
        "list unsubscribe" | "unsubscribe link" => "unsubscribe",
        "bounce rule" => "bounce",
        "manually added" => "manual",
        _ => "other",
    };
    let since = [fields.get("created"), fields.get("updated")].into_iter().find(|time| !time.is_empty()).unwrap_or_default();
    let told = Told::new(cause, &[fields.get("description")], since);
    let flags = [fields.get("transactional"), fields.get("nontransactional")];
    let says_no = |flag: &Cow<'_, str>| ["false", "0", "no"].contains(&&*flag.trim().to_ascii_lowercase());
    let has_type = !fields.get("type").trim().is_empty();
    if !has_type && flags.iter().all(says_no) { Told { cause: None, ..told } } else { told }
}
