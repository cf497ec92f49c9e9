//! The server: services, health and reflection on one listener, and how they end.

use std::sync::Arc;
use std::time::Duration;

use suppressd_core::Rulebook;
use suppressd_core::store::{AdministrativeStore, ChangeStore, IncidentStore, LetterStore, ListingStore};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::server::health_reporter;

use crate::admin::Administration;
use crate::checks::suppression_service_server::SuppressionServiceServer;
use crate::deadline::Bounded;
use crate::dispatch::Dispatch;
use crate::incidents::KnownIncidents;
use crate::incoming::Acceptor;
use crate::judge::Judge;
use crate::proto::suppression_admin_service_server::SuppressionAdminServiceServer;
use crate::suppression::Suppression;
use crate::workers::{Serve, Terms, Workers};
use crate::{Error, Metrics, Rest, Settings, health, incoming, proto, socketmap};

/// What a message holds beside a letter's content, at most, in bytes.
const LETTER_FRAME_BYTES: usize = 1024;

/// Where is listened, each bound already.
#[derive(Debug)]
pub struct Doors {
    /// gRPC.
    pub grpc: TcpListener,
    /// Postfix's socketmap, if mail servers are to ask. It knows no tokens.
    pub socketmap: Option<TcpListener>,
    /// REST, if the same is to be asked by HTTP. Whoever listens for it is elsewhere.
    pub rest: Option<Rest>,
}

/// Serves gRPC until `shutdown` is done, then takes no more connections, finishes the calls that are in flight, and returns.
/// Each call is judged by the rulebook that is in force then.
///
/// The drain takes as long as clients keep a call open; a deadline is the caller's to set, and dropping the future cuts what is
/// left.
///
/// # Errors
///
/// [`Error::InvalidSetting`] before anything is served. Nothing that happens to a connection ends the server.
pub async fn serve<S>(
    doors: Doors,
    store: S,
    settings: Settings,
    rules: watch::Receiver<Arc<Rulebook>>,
    metrics: Metrics,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error>
where
    S: AdministrativeStore + ChangeStore + ListingStore + IncidentStore + LetterStore,
{
    let Doors { grpc, socketmap, rest } = doors;
    settings.validate()?;
    let server = settings.builder()?;
    let limits = settings.limits.clone();
    let (drain, draining) = watch::channel(false);
    let (reporter, health) = health_reporter();
    let incidents = KnownIncidents::new(store.clone(), metrics.clone(), &limits);
    let judge = Arc::new(Judge::new(store.clone(), rules.clone(), incidents.clone(), metrics));
    let mail_judge = Arc::clone(&judge);
    let suppression = Suppression::new(Arc::clone(&judge), limits.clone(), draining.clone());
    let administration = Arc::new(Administration::new(store.clone(), judge, rules, incidents.clone(), &limits, draining.clone()));
    let service = move || service(suppression.clone(), Arc::clone(&administration), health.clone(), settings.clone());
    if let Some(rest) = rest {
        rest.open(service());
    }
    let terms = Terms { server, limits: Arc::new(limits.clone()), draining: draining.clone() };
    // What holds the store goes with the threads when they end, and none of it stays here.
    let (workers, connections) = Workers::start(&terms, service)?;

    let services = ["", SuppressionServer::<S>::NAME, AdministrationServer::<S>::NAME];
    let following = health::follow(store, reporter, &services, &limits, draining.clone());
    let following_incidents = incidents.follow(draining.clone());
    let accepting = incoming::accept(Acceptor::new(grpc, limits.max_connections, draining.clone()), connections);
    let answering_mail_servers = async {
        if let Some(listener) = socketmap {
            socketmap::serve(listener, mail_judge, &limits, draining).await;
        }
    };
    let announcing = async {
        shutdown.await;
        drain.send_replace(true);
    };
    let others = async { tokio::join!(following, following_incidents, accepting, answering_mail_servers, announcing) };
    tokio::try_join!(workers.join(), async { Ok(others.await) })?;
    Ok(())
}

type SuppressionServer<S> = SuppressionServiceServer<Suppression<S>>;
type AdministrationServer<S> = SuppressionAdminServiceServer<Administration<S>>;

/// Everything that is served, each with its gate and its bounds.
fn service<S, H>(
    suppression: Suppression<S>,
    administration: Arc<Administration<S>>,
    health: H,
    settings: Settings,
) -> impl Serve + Sync
where
    S: AdministrativeStore + ChangeStore + ListingStore + IncidentStore + LetterStore,
    H: Serve<Future: Unpin> + NamedService + Sync,
{
    let Settings { access, tls: _, reflection, limits } = settings;
    let access = Arc::new(access);
    let max_request_bytes = limits.max_request_bytes;
    // A batch of entries takes no more than one of addresses may.
    let max_admin_bytes = limits.max_letter_bytes.saturating_add(LETTER_FRAME_BYTES).max(max_request_bytes);
    let suppression = SuppressionServiceServer::new(suppression);
    let administration = SuppressionAdminServiceServer::from_arc(administration);
    let suppression = access.guard(suppression.max_decoding_message_size(max_request_bytes));
    let administration = access.guard(administration.max_decoding_message_size(max_admin_bytes));
    let others = Routes::default()
        .add_service(Bounded::new(administration, limits.call_timeout))
        .add_service(Bounded::new(health, limits.call_timeout));
    let others = if reflection { with_reflection(others, limits.call_timeout) } else { others };
    Dispatch::new(Bounded::new(suppression, limits.call_timeout), others)
}

/// Both versions: many a `grpcurl` speaks only the older one.
fn with_reflection(routes: Routes, call_timeout: Duration) -> Routes {
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // Without the messages of error details, clients show them as bytes.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    match (builder().build_v1(), builder().build_v1alpha()) {
        (Ok(v1), Ok(v1alpha)) => {
            routes.add_service(Bounded::new(v1, call_timeout)).add_service(Bounded::new(v1alpha, call_timeout))
        }
        (Err(error), _) | (_, Err(error)) => {
            // The descriptors are compiled in; a test asks for them.
            tracing::error!(%error, "there is no reflection: the compiled-in descriptors cannot be read");
            routes
        }
    }
}
