//! Incidents: opened, listed, kept and closed.

use std::sync::Arc;

use prost_types::Timestamp;
use suppressd_core::store::{IncidentStore, amend_incidents};
use suppressd_core::{Act, Error, Incident, IncidentBook, IncidentId, IncidentState, Incidents, Origin, Scope, UnixSeconds};
use tonic::Status;
use tracing::info;

use super::fault;
use crate::incidents::KnownIncidents;
use crate::judge::now;
use crate::suppression::timestamp;
use crate::{proto, status};

/// Where incidents are changed.
pub(super) struct IncidentDesk<S> {
    store: S,
    known: KnownIncidents<S>,
}

impl<S: IncidentStore> IncidentDesk<S> {
    pub(super) fn new(store: S, known: KnownIncidents<S>) -> Self {
        Self { store, known }
    }

    /// Those that are in force just now.
    pub(super) async fn in_force(&self) -> Result<Arc<Incidents>, Status> {
        self.known.refresh().await.map_err(|error| fault(&error, ""))
    }

    pub(super) async fn list(&self) -> Result<Vec<proto::Incident>, Status> {
        let (_, book) = self.store.incidents(None).await.map_err(|error| fault(&error, ""))?.unwrap_or_default();
        Ok(book.incidents().iter().map(message).collect())
    }

    pub(super) async fn open(&self, scope: Scope, who: &str, why: &str) -> Result<proto::Incident, Status> {
        let act = Act::new(now(), who, why).map_err(|error| fault(&error, ""))?;
        let incident = Incident::opened(scope, Origin::Operator, act);
        let id = incident.id();
        let opened = |book: &mut IncidentBook| {
            book.open(incident.clone())?;
            Ok(book.get(id).cloned())
        };
        self.changed(id, "opened", amend_incidents(&self.store, opened).await).await
    }

    pub(super) async fn keep(&self, id: &str, who: &str, why: &str) -> Result<proto::Incident, Status> {
        let (id, act) = id_and_act(id, who, why)?;
        let kept = |book: &mut IncidentBook| Ok(book.keep(id, act.clone()).cloned());
        self.changed(id, "kept", amend_incidents(&self.store, kept).await).await
    }

    pub(super) async fn close(&self, id: &str, who: &str, why: &str) -> Result<proto::Incident, Status> {
        let (id, act) = id_and_act(id, who, why)?;
        let closed = |book: &mut IncidentBook| Ok(book.close(id, act.clone()).cloned());
        self.changed(id, "closed", amend_incidents(&self.store, closed).await).await
    }

    async fn changed(
        &self,
        id: IncidentId,
        how: &str,
        changed: Result<Option<Incident>, Error>,
    ) -> Result<proto::Incident, Status> {
        let incident = changed.map_err(|error| fault(&error, "id"))?;
        let incident = incident.ok_or_else(|| Status::not_found(format!("there is no such incident {id} in force")))?;
        info!(%id, how, "an incident was changed");
        // Who asks this process next finds it changed. If that fails, the freshness of what is known has its own bound.
        let _ = self.known.refresh().await;
        Ok(message(&incident))
    }
}

fn id_and_act(id: &str, who: &str, why: &str) -> Result<(IncidentId, Act), Status> {
    let id = id.parse().map_err(|error| fault(&error, "id"))?;
    let act = Act::new(now(), who, why).map_err(|error| fault(&error, ""))?;
    Ok((id, act))
}

/// Reads what an incident covers.
pub(super) fn scope(scope: Option<proto::IncidentScope>) -> Result<Scope, Status> {
    let proto::IncidentScope { from, to, vmta, domain, rule } = scope.unwrap_or_default();
    let time = |time: Option<Timestamp>, field| {
        let time = time.ok_or_else(|| status::refused(field, "must be given"))?;
        Ok::<_, Status>(UnixSeconds::clamped(time.seconds))
    };
    let given = |part: String| Some(part.into_boxed_str()).filter(|part| !part.is_empty());
    let scope =
        Scope { from: time(from, "from")?, to: time(to, "to")?, vmta: given(vmta), domain: given(domain), rule: given(rule) };
    scope.normalised().map_err(|error| fault(&error, "scope"))
}

fn message(incident: &Incident) -> proto::Incident {
    let Incident { scope, origin, opened, kept, closed } = incident;
    let text = |part: &Option<Box<str>>| part.as_deref().unwrap_or_default().to_owned();
    let state = match incident.state() {
        IncidentState::Awaiting => proto::IncidentState::Awaiting,
        IncidentState::Open => proto::IncidentState::Open,
        IncidentState::Closed => proto::IncidentState::Closed,
    };
    proto::Incident {
        id: incident.id().to_string(),
        scope: Some(proto::IncidentScope {
            from: Some(timestamp(scope.from)),
            to: Some(timestamp(scope.to)),
            vmta: text(&scope.vmta),
            domain: text(&scope.domain),
            rule: text(&scope.rule),
        }),
        state: state.into(),
        by_guard: *origin == Origin::Guard,
        opened: Some(act(opened)),
        kept: kept.as_ref().map(act),
        closed: closed.as_ref().map(act),
    }
}

fn act(act: &Act) -> proto::IncidentAct {
    proto::IncidentAct { at: Some(timestamp(act.at)), who: act.who.clone(), why: act.why.clone() }
}
