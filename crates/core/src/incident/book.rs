//! All incidents there are, and what may be done to them. A store keeps the book as a whole; the rules stand here.

use serde::{Deserialize, Serialize};

use super::{Act, Incident, IncidentId, Incidents, Origin};
use crate::Error;

/// Most incidents that are kept. The one that was closed longest ago makes room for a new one.
pub const MAX_INCIDENTS: usize = 256;

/// All incidents, in the order in which they were opened first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentBook(Vec<Incident>);

impl IncidentBook {
    /// A book with these incidents in it, in the order in which they were opened.
    #[must_use]
    pub fn new(incidents: Vec<Incident>) -> Self {
        Self(incidents)
    }

    /// All of them, in the order in which they were opened first.
    #[must_use]
    pub fn incidents(&self) -> &[Incident] {
        &self.0
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: IncidentId) -> Option<&Incident> {
        self.0.iter().find(|incident| incident.id() == id)
    }

    /// Those that are in force.
    #[must_use]
    pub fn in_force(&self) -> Incidents {
        Incidents::new(self.0.iter().cloned())
    }

    /// Opens an incident. What was closed is opened again; what is in force already stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::IncidentsFull`] if there are [`MAX_INCIDENTS`] and all are in force.
    pub fn open(&mut self, incident: Incident) -> Result<(), Error> {
        if let Some(known) = self.0.iter_mut().find(|known| known.id() == incident.id()) {
            if !known.is_in_force() {
                *known = incident;
            }
            return Ok(());
        }
        if self.0.len() >= MAX_INCIDENTS {
            let closed = self.0.iter().enumerate().filter_map(|(place, known)| Some((known.closed.as_ref()?.at, place)));
            let (_, place) = closed.min().ok_or(Error::IncidentsFull)?;
            self.0.remove(place);
        }
        self.0.push(incident);
        Ok(())
    }

    /// Opens an incident of the outage guard, unless there was one for that domain whose time has not passed: a fleet opens one,
    /// and does not open again what an operator has closed. Says whether it was opened.
    ///
    /// # Errors
    ///
    /// As of [`Self::open`].
    pub fn open_by_guard(&mut self, incident: Incident) -> Result<bool, Error> {
        let is_same = |known: &&Incident| {
            known.origin == Origin::Guard && known.scope.domain == incident.scope.domain && known.scope.to >= incident.opened.at
        };
        if self.0.iter().any(|known| is_same(&known)) {
            return Ok(false);
        }
        self.open(incident).map(|()| true)
    }

    /// Keeps what the guard has opened: it no longer awaits the operator. `None` if there is no such incident in force.
    pub fn keep(&mut self, id: IncidentId, act: Act) -> Option<&Incident> {
        let incident = self.in_force_mut(id)?;
        if incident.origin == Origin::Guard {
            incident.kept = Some(act);
        }
        Some(incident)
    }

    /// Closes an incident: what it covered counts again. One that is closed already stays as it is; `None` if there is none.
    pub fn close(&mut self, id: IncidentId, act: Act) -> Option<&Incident> {
        let incident = self.0.iter_mut().find(|known| known.id() == id)?;
        incident.closed.get_or_insert(act);
        Some(incident)
    }

    fn in_force_mut(&mut self, id: IncidentId) -> Option<&mut Incident> {
        self.0.iter_mut().find(|known| known.id() == id && known.is_in_force())
    }
}
