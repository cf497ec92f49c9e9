//! `SuppressionAdminService`: what an operator asks and does.

mod by_hand;
mod erasure;
mod incidents;
mod letters;
mod listing;
mod record;
mod survey;
mod watch;

use std::sync::Arc;

use suppressd_core::store::{AdministrativeStore, ChangeStore, IncidentStore, LetterStore, ListingStore};
use suppressd_core::{Error, Rulebook, Standpoint};
use tokio::sync::watch::Receiver;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::incidents::KnownIncidents;
use crate::judge::Judge;
use crate::proto::suppression_admin_service_server::SuppressionAdminService;
use crate::proto::{
    BatchCreateSuppressionsRequest, BatchCreateSuppressionsResponse, CloseIncidentRequest, CloseIncidentResponse,
    CreateSuppressionRequest, CreateSuppressionResponse, DeleteSuppressionRequest, DeleteSuppressionResponse, DiffPolicyRequest,
    DiffPolicyResponse, EraseAddressRequest, EraseAddressResponse, GetRecordRequest, GetRecordResponse, GetRejectedLetterRequest,
    GetRejectedLetterResponse, KeepIncidentRequest, KeepIncidentResponse, ListIncidentsRequest, ListIncidentsResponse,
    ListRejectedLettersRequest, ListRejectedLettersResponse, ListSuppressionsRequest, ListSuppressionsResponse,
    OpenIncidentRequest, OpenIncidentResponse, PreviewIncidentRequest, PreviewIncidentResponse, ReplayRejectedLetterRequest,
    ReplayRejectedLetterResponse, WatchSuppressionsRequest, WatchSuppressionsResponse,
};
use crate::{Limits, status};
use by_hand::Hands;
use erasure::Eraser;
use incidents::IncidentDesk;
use letters::Letters;
use listing::{Listing, Wanted};
use survey::{Question, Surveys};
use watch::Watches;

/// Administrates a store.
pub(crate) struct Administration<S> {
    judge: Arc<Judge<S>>,
    rules: Receiver<Arc<Rulebook>>,
    hands: Hands<S>,
    eraser: Eraser<S>,
    store: S,
    listing: Listing<S>,
    letters: Letters<S>,
    incidents: IncidentDesk<S>,
    surveys: Surveys<S>,
    watches: Watches<S>,
}

impl<S: AdministrativeStore + ChangeStore + ListingStore + IncidentStore + LetterStore> Administration<S> {
    pub(crate) fn new(
        store: S,
        judge: Arc<Judge<S>>,
        rules: Receiver<Arc<Rulebook>>,
        incidents: KnownIncidents<S>,
        limits: &Limits,
        draining: Receiver<bool>,
    ) -> Self {
        Self {
            store: store.clone(),
            eraser: Eraser::new(store.clone(), Arc::clone(&judge), limits),
            judge,
            rules: rules.clone(),
            hands: Hands::new(store.clone(), rules.clone(), limits),
            listing: Listing::new(store.clone(), limits),
            letters: Letters::new(store.clone(), rules.clone()),
            incidents: IncidentDesk::new(store.clone(), incidents.clone()),
            surveys: Surveys::new(store.clone(), limits, draining.clone()),
            watches: Watches::new(store, rules, incidents, limits, draining),
        }
    }
}

/// The stream of an answer that comes in parts.
type Parts<T> = ReceiverStream<Result<T, Status>>;

#[tonic::async_trait]
impl<S: AdministrativeStore + ChangeStore + ListingStore + IncidentStore + LetterStore> SuppressionAdminService
    for Administration<S>
{
    type DiffPolicyStream = Parts<DiffPolicyResponse>;
    type PreviewIncidentStream = Parts<PreviewIncidentResponse>;
    type WatchSuppressionsStream = Parts<WatchSuppressionsResponse>;

    async fn get_record(&self, request: Request<GetRecordRequest>) -> Result<Response<GetRecordResponse>, Status> {
        let GetRecordRequest { email, account } = request.into_inner();
        let explained = self.judge.explain(&email, &account).await.map_err(|error| fault(&error, "email"))?;
        Ok(Response::new(record::response(explained)))
    }

    async fn create_suppression(
        &self,
        request: Request<CreateSuppressionRequest>,
    ) -> Result<Response<CreateSuppressionResponse>, Status> {
        self.hands.suppress(request.into_inner()).await.map(Response::new)
    }

    async fn batch_create_suppressions(
        &self,
        request: Request<BatchCreateSuppressionsRequest>,
    ) -> Result<Response<BatchCreateSuppressionsResponse>, Status> {
        self.hands.enter(request.into_inner()).await.map(Response::new)
    }

    async fn delete_suppression(
        &self,
        request: Request<DeleteSuppressionRequest>,
    ) -> Result<Response<DeleteSuppressionResponse>, Status> {
        self.hands.lift(request.into_inner()).await.map(Response::new)
    }

    async fn erase_address(&self, request: Request<EraseAddressRequest>) -> Result<Response<EraseAddressResponse>, Status> {
        self.eraser.erase(request.into_inner()).await.map(Response::new)
    }

    async fn list_suppressions(
        &self,
        request: Request<ListSuppressionsRequest>,
    ) -> Result<Response<ListSuppressionsResponse>, Status> {
        let wanted = Wanted::read(request.into_inner())?;
        let rulebook = Arc::clone(&self.rules.borrow());
        let incidents = self.incidents.in_force().await?;
        let incidents = (*incidents).clone().with_listed_domains(|domain| self.store.listed_domain(domain));
        let standpoint = Standpoint::new(&rulebook.policy, incidents);
        self.listing.page(wanted, standpoint).await.map(Response::new)
    }

    async fn watch_suppressions(
        &self,
        request: Request<WatchSuppressionsRequest>,
    ) -> Result<Response<Self::WatchSuppressionsStream>, Status> {
        self.watches.begin(request.get_ref()).map(Response::new)
    }

    async fn diff_policy(&self, request: Request<DiffPolicyRequest>) -> Result<Response<Self::DiffPolicyStream>, Status> {
        let DiffPolicyRequest { policy_toml, list_addresses } = request.into_inner();
        let proposed = Rulebook::from_toml(&policy_toml).map_err(|error| fault(&error, "policy_toml"))?;
        let rulebook = Arc::clone(&self.rules.borrow());
        let incidents = self.incidents.in_force().await?;
        let incidents = (*incidents).clone().with_listed_domains(|domain| self.store.listed_domain(domain));
        let question = Question::of_policies(&rulebook.policy, &proposed.policy, &incidents, list_addresses);
        self.surveys.begin(question, |what_if| DiffPolicyResponse { what_if: Some(what_if) }).map(Response::new)
    }

    async fn preview_incident(
        &self,
        request: Request<PreviewIncidentRequest>,
    ) -> Result<Response<Self::PreviewIncidentStream>, Status> {
        let PreviewIncidentRequest { scope, list_addresses } = request.into_inner();
        let scope = incidents::scope(scope)?;
        let rulebook = Arc::clone(&self.rules.borrow());
        let incidents = self.incidents.in_force().await?;
        let listed = |domain: &str| self.store.listed_domain(domain);
        let question = Question::of_incident(&rulebook.policy, &incidents, scope, listed, list_addresses);
        self.surveys.begin(question, |what_if| PreviewIncidentResponse { what_if: Some(what_if) }).map(Response::new)
    }

    async fn open_incident(&self, request: Request<OpenIncidentRequest>) -> Result<Response<OpenIncidentResponse>, Status> {
        let OpenIncidentRequest { scope, who, why } = request.into_inner();
        let incident = Some(self.incidents.open(incidents::scope(scope)?, &who, &why).await?);
        Ok(Response::new(OpenIncidentResponse { incident }))
    }

    async fn list_incidents(&self, _: Request<ListIncidentsRequest>) -> Result<Response<ListIncidentsResponse>, Status> {
        Ok(Response::new(ListIncidentsResponse { incidents: self.incidents.list().await? }))
    }

    async fn keep_incident(&self, request: Request<KeepIncidentRequest>) -> Result<Response<KeepIncidentResponse>, Status> {
        let KeepIncidentRequest { id, who, why } = request.into_inner();
        let incident = Some(self.incidents.keep(&id, &who, &why).await?);
        Ok(Response::new(KeepIncidentResponse { incident }))
    }

    async fn close_incident(&self, request: Request<CloseIncidentRequest>) -> Result<Response<CloseIncidentResponse>, Status> {
        let CloseIncidentRequest { id, who, why } = request.into_inner();
        let incident = Some(self.incidents.close(&id, &who, &why).await?);
        Ok(Response::new(CloseIncidentResponse { incident }))
    }

    async fn list_rejected_letters(
        &self,
        request: Request<ListRejectedLettersRequest>,
    ) -> Result<Response<ListRejectedLettersResponse>, Status> {
        self.letters.list_rejected_letters(request.into_inner()).await.map(Response::new)
    }

    async fn get_rejected_letter(
        &self,
        request: Request<GetRejectedLetterRequest>,
    ) -> Result<Response<GetRejectedLetterResponse>, Status> {
        self.letters.get_rejected_letter(request.into_inner()).await.map(Response::new)
    }

    async fn replay_rejected_letter(
        &self,
        request: Request<ReplayRejectedLetterRequest>,
    ) -> Result<Response<ReplayRejectedLetterResponse>, Status> {
        self.letters.replay_rejected_letter(request.into_inner()).await.map(Response::new)
    }
}

/// A fault of the store, with all of it in the log; or of the request, which is the caller's own business.
fn fault(error: &Error, field: &str) -> Status {
    if !error.is_callers_fault() {
        tracing::warn!(%error, "the store failed an administrative call");
    }
    status::of(error, field)
}
