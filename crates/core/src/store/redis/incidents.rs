//! The book of incidents in Redis.

use redis::Value;

use super::call::Call;
use super::fault::damaged_field;
use super::keys::INCIDENTS;
use super::{RedisStore, reply, to_json};
use crate::store::{BookVersion, IncidentStore};
use crate::{Error, Incident, IncidentBook, IncidentId};

/// The field that counts the changes.
const VERSION: &str = "version";

impl IncidentStore for RedisStore {
    async fn incidents(&self, known: Option<BookVersion>) -> Result<Option<(BookVersion, IncidentBook)>, Error> {
        let known = known.map(|BookVersion(known)| known.to_string()).unwrap_or_default();
        let call = Call::script(&self.shared.scripts.incidents_read, &[INCIDENTS]).argument(known).reading();
        let book = reply::only(self.read(vec![call]).await?)?;
        if book == Value::Nil { Ok(None) } else { read(reply::fields(book)?).map(Some) }
    }

    async fn replace_incidents(&self, known: BookVersion, book: &IncidentBook) -> Result<bool, Error> {
        let next = known.0.saturating_add(1);
        let mut call = Call::script(&self.shared.scripts.incidents_replace, &[INCIDENTS]).number(&known.0);
        call = call.argument(VERSION).number(&next);
        for (place, incident) in book.incidents().iter().enumerate() {
            // A hash has no order: the names of the fields tell it.
            call = call.argument(format!("{place:03}:{}", incident.id())).argument(to_json(incident)?);
        }
        reply::yes_or_no(&self.write_one(call).await?)
    }
}

/// Reads the fields of the book. A field that is not known is no field to leave out: without it verdicts would be others.
fn read(fields: Vec<(String, Vec<u8>)>) -> Result<(BookVersion, IncidentBook), Error> {
    let is_there = !fields.is_empty();
    let mut version = None;
    let mut incidents = Vec::new();
    for (name, text) in fields {
        let damaged = || damaged_field(INCIDENTS, &name);
        if name == VERSION {
            version = Some(BookVersion(reply::parsed(&text).ok_or_else(damaged)?));
        } else {
            incidents.push(read_incident(&name, &text).ok_or_else(damaged)?);
        }
    }
    if is_there && version.is_none() {
        return Err(damaged_field(INCIDENTS, VERSION));
    }
    incidents.sort_unstable_by_key(|(place, _)| *place);
    let incidents = incidents.into_iter().map(|(_, incident)| incident).collect();
    Ok((version.unwrap_or_default(), IncidentBook::new(incidents)))
}

fn read_incident(name: &str, text: &[u8]) -> Option<(usize, Incident)> {
    let (place, id) = name.split_once(':')?;
    let id: IncidentId = id.parse().ok()?;
    // Its name says what it covers.
    let incident: Incident = serde_json::from_slice(text).ok().filter(|incident: &Incident| incident.id() == id)?;
    Some((place.parse().ok()?, incident))
}
