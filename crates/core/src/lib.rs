//! The rules of suppressd: what an address is, what an event says, which evidence is kept, and what follows from it.
//!
//! Everything here is pure: no input or output, no clock. The stores that do reach disks and networks stand under [`store`],
//! behind the features `embedded` and `redis`.

mod address;
mod address_key;
mod by_hand;
mod category;
mod checksum;
mod erasure;
mod error;
pub mod event;
mod evidence;
mod filter;
mod incident;
mod letter;
pub mod opinion;
mod outage;
mod policy;
mod record;
mod selection;
mod status;
pub mod store;
mod striped;
mod time;
mod verdict;
mod what_if;

pub use address::{Address, AddressList, AddressRef, MAX_ADDRESS_BYTES};
pub use address_key::{AddressKey, MIN_ADDRESS_KEY_BYTES, SEAL_BYTES};
pub use by_hand::{Entered, Lift, MAX_NOTE_BYTES, MAX_REQUEST_ID_BYTES, ManualEntry};
pub use category::{BounceCategory, Class, MAX_CATEGORY_BYTES};
pub use checksum::checksum;
pub use erasure::{Erased, Erasure, Tombstone};
pub use error::Error;
pub use event::{Event, EventId, EventKind};
pub use evidence::{Evidence, Shelf};
pub use filter::Filter;
pub use incident::{Act, Incident, IncidentBook, IncidentId, IncidentState, Incidents, MAX_INCIDENTS, Origin, Scope};
pub use letter::{Letter, LetterHead, LetterId, LetterLimits, LetterUsage, MAX_REASON_BYTES};
pub use opinion::{
    Classifier, Contradiction, ExtraRule, Fault, MAX_DIAGNOSTIC_BYTES, MAX_RULE_ID_BYTES, Opinion, RuleError, StoredOpinion,
};
pub use outage::{Answers, AnswersBySlot, KEPT_ANSWERS_SECONDS, OutageGuard, SLOT_SECONDS, Slot};
pub use policy::{MAX_POLICY_BYTES, MAX_SOFT_BOUNCE_LIMIT, Policy, Rulebook, SoftBounceLimit, Trust};
pub use record::{Admission, Counters, KEPT_DAYS, KEPT_PER_DAY, Record};
pub use selection::Selection;
pub use status::EnhancedStatusCode;
pub use striped::Striped;
pub use time::{DAY_SECONDS, UnixSeconds};
pub use verdict::{
    Case, CountedSince, ExplainedEvidence, Explanation, Reason, Rule, Suppression, Verdict, WholeDomain, explain,
    outdated_verdict, verdict,
};
pub use what_if::{Effect, Standpoint, Tally, VerdictChange};
