//! `suppressd serve`: the store, the two doors, and how they end together.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use prometheus_client::registry::Registry;
use suppressd_core::store::embedded::{EmbeddedSettings, EmbeddedStore};
use suppressd_core::store::redis::RedisStore;
use suppressd_core::store::{FilteredStore, KeyedStore, Pseudonyms, Store, StoredNames};
use suppressd_core::{Error as StoreError, Rulebook};
use suppressd_ingest::Further;
use suppressd_service::{Doors, Rest};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use crate::cli::ServeArguments;
use crate::config::{Config, Role};
use crate::failure::Failure;
use crate::logging;
use crate::notify;
use crate::policy_file::{self, Reloads};
use crate::secret;
use crate::store_check::StoreCheck;
use crate::store_location::StoreLocation;

/// How long what blocks (a letter on its way to the disk) may take after everything else has ended.
const BLOCKING_DEADLINE: Duration = Duration::from_secs(2);

pub(crate) fn run(arguments: &ServeArguments) -> Result<ExitCode, Failure> {
    let config = Config::read(arguments, &secret::variable).map_err(Failure::of_configuration)?;
    if arguments.check_config {
        eprintln!("suppressd: the configuration can be used");
        return Ok(ExitCode::SUCCESS);
    }
    logging::start(&config.log).map_err(Failure::of_configuration)?;
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::of_server)?;
    let ended = runtime.block_on(open_and_serve(config));
    runtime.shutdown_timeout(BLOCKING_DEADLINE);
    ended.map_err(Failure::of_server)?;
    Ok(ExitCode::SUCCESS)
}

async fn open_and_serve(mut config: Config) -> anyhow::Result<()> {
    info!(version = env!("CARGO_PKG_VERSION"), store = %config.store, role = ?config.role, rest = config.has_rest, "starting");
    let mut registry = Registry::default();
    notify::starting("opening the store").await;
    let pseudonyms = config.address_key.take().map(|key| Arc::new(Pseudonyms::new(key)));
    match config.store.clone() {
        StoreLocation::Directory(directory) => {
            if !config.waits_for_disk {
                warn!("unsafe_no_fsync is set: a loss of power loses what was acknowledged");
            }
            let waits_for_disk = config.waits_for_disk;
            let Config { letter_limits, changes_kept, max_records_in_memory_bytes, .. } = config;
            let settings =
                EmbeddedSettings { directory, letter_limits, changes_kept, max_records_in_memory_bytes, waits_for_disk };
            let store = EmbeddedStore::open(&settings)?;
            let names = store.agree_on_names(pseudonyms.as_ref().map(|pseudonyms| pseudonyms.check()))?;
            if let Some(pseudonyms) = &pseudonyms {
                pseudonyms.settle(&names);
            }
            tell_of_names(&names);
            // Held by a clone that ends with this future, so that the store is released before the process ends.
            let failing = store.clone();
            serve(store, pseudonyms, config, registry, async move { failing.stopped().await }).await
        }
        StoreLocation::Redis(url) => {
            let settings = config.redis.settings(&url, config.letter_limits, config.changes_kept);
            let store = RedisStore::open(&settings)?;
            let mut check = StoreCheck::register(store.clone(), pseudonyms.clone(), config.redis.allowed.clone(), &mut registry);
            check.begin().await?;
            // It mends itself.
            serve(store, pseudonyms, config, registry, async move { match check.go_on().await {} }).await
        }
    }
}

/// Says how the store names addresses.
pub(crate) fn tell_of_names(names: &StoredNames) {
    match names {
        StoredNames::Readable => {}
        StoredNames::Hashed(_) => info!("addresses are hashed"),
        StoredNames::Mixed(_) => info!("addresses are hashed, but for those that were kept before"),
    }
}

/// Serves until a signal comes, a door fails or the store is beyond repair, then drains both doors. `failed` says that the store
/// is: who supervises the process starts it again, and the opening finds what is left.
async fn serve<S: Store>(
    store: S,
    pseudonyms: Option<Arc<Pseudonyms>>,
    mut config: Config,
    mut registry: Registry,
    failed: impl Future<Output = StoreError>,
) -> anyhow::Result<()> {
    let store = match config.filter_bound {
        Some(bound) => FilteredStore::new(store, bound),
        None => FilteredStore::unfiltered(store),
    };
    // Taken over before anything is bound: a signal that comes at once must drain, not kill.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let hang_up = signal(SignalKind::hangup())?;
    let (drain, draining) = watch::channel(false);
    let drain_deadline = config.drain_deadline;
    let policy_file = config.policy_file.take();
    let (rules, rulebook) = watch::channel(Arc::new(std::mem::take(&mut config.rulebook)));
    let following = policy_file::follow(policy_file, hang_up, rules, Reloads::register(&mut registry));
    suppressd_service::register_filter(&mut registry, store.clone());
    // Goes on while the doors drain, and ends with this future.
    let mut background = JoinSet::new();
    let followed = store.clone();
    background.spawn(async move { followed.follow().await });
    let serving = serving(config.role);
    let mut doors = open_doors(KeyedStore::new(store, pseudonyms), config, rulebook, registry, &draining).await?;
    notify::ready(serving).await;

    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        error = failed => Err(error.into()),
        never = following => match never {},
        // A door ends by itself only because it failed.
        Some(ended) = doors.join_next() => flatten(ended),
    };
    info!(deadline = ?drain_deadline, "draining");
    drain.send_replace(true);
    notify::stopping("draining: finishing what is in flight").await;
    let rest = async {
        while let Some(ended) = doors.join_next().await {
            if let Err(error) = flatten(ended) {
                error!(%error, "a door failed while draining");
            }
        }
    };
    tokio::select! {
        () = rest => info!("drained"),
        () = tokio::time::sleep(drain_deadline) => warn!("the deadline has passed; what is left is cut off"),
        _ = terminate.recv() => warn!("a second signal; what is left is cut off"),
        _ = interrupt.recv() => warn!("a second signal; what is left is cut off"),
    }
    ended
}

/// What a process does that is ready, in words.
fn serving(role: Role) -> &'static str {
    match role {
        Role::All => "serving webhooks and checks",
        Role::Ingest => "serving webhooks",
        Role::Check => "serving checks",
    }
}

/// Binds and opens what the role asks for. Each task ends when the drain is done.
async fn open_doors<S: Store>(
    store: KeyedStore<FilteredStore<S>>,
    mut config: Config,
    rules: watch::Receiver<Arc<Rulebook>>,
    mut registry: Registry,
    draining: &watch::Receiver<bool>,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let ingest_metrics = suppressd_ingest::Metrics::register(&mut registry);
    let check_metrics = config.role.checks().then(|| suppressd_service::Metrics::register(&mut registry));
    let rest = match &check_metrics {
        Some(metrics) if config.has_rest => Some(Rest::new(config.service.access.clone(), metrics.clone())?),
        Some(_) | None => None,
    };
    config.ingest.further = rest.clone().map(Further::new);
    let registry = Arc::new(registry);
    let http = bind(config.http, "http").await?;
    let grpc = if config.role.checks() { Some(bind(config.grpc, "grpc").await?) } else { None };

    let mut doors = JoinSet::new();
    let begin = begin_of_drain(draining.clone());
    let opened = suppressd_ingest::serve(http, store.clone(), config.ingest, rules.clone(), ingest_metrics, registry, begin);
    doors.spawn(async { opened.await.context("the HTTP door failed") });
    if let (Some(grpc), Some(metrics)) = (grpc, check_metrics) {
        let socketmap = match config.socketmap {
            Some(address) => Some(bind(address, "socketmap").await?),
            None => None,
        };
        let begin = begin_of_drain(draining.clone());
        let opened = suppressd_service::serve(Doors { grpc, socketmap, rest }, store, config.service, rules, metrics, begin);
        doors.spawn(async { opened.await.context("the gRPC door failed") });
    }
    Ok(doors)
}

async fn bind(address: std::net::SocketAddr, door: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} for {door}"))?;
    info!(door, address = %listener.local_addr()?, "listening");
    Ok(listener)
}

async fn begin_of_drain(mut draining: watch::Receiver<bool>) {
    // A sender that is gone means the end as well.
    let _ = draining.wait_for(|draining| *draining).await;
}

fn flatten(ended: Result<anyhow::Result<()>, tokio::task::JoinError>) -> anyhow::Result<()> {
    ended.context("a door's task failed")?
}
