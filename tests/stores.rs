//! The store contract over every store, and what is each store's own.

mod contract;
mod embedded_crash;
mod embedded_damage;
mod embedded_durability;
mod embedded_erasure;
mod embedded_incidents;
mod embedded_layout;
mod feed;
mod feed_of_a_cluster;
mod histories;
mod keyed;
mod redis_cluster;
mod redis_erasure;
mod redis_faults;
mod redis_incidents;
mod redis_layout;
mod redis_sentinel;
mod redis_streams;
mod redis_tls;

use std::future::Future;
use std::path::Path;

use suppressd_core::store::embedded::{EmbeddedSettings, EmbeddedStore, MAX_RECORDS_IN_MEMORY_BYTES};
use suppressd_core::store::memory::MemoryStore;
use suppressd_core::store::redis::{RedisSettings, RedisStore};
use suppressd_core::store::{AdministrativeStore, EvidenceStore};
use suppressd_core::{Address, Erasure, LetterLimits, Record, Tombstone};
use tempfile::TempDir;

use crate::events::address;

use crate::servers::redis::{RedisServer, patient_settings};
use crate::servers::redis_cluster::RedisCluster;

/// The limits that every store is opened with here.
const LIMITS: LetterLimits = LetterLimits { max_letters: 60, max_content_bytes: 1000, max_age_seconds: 1000 };

/// How many changes every store keeps here.
const CHANGES_KEPT: usize = 512;

/// Runs cases, `async fn(impl Store)`, over every store. Each case of each store is a test of its own, with a store of its own;
/// but a cluster takes seconds to come up, so there the cases of one file follow each other, each on an empty cluster.
macro_rules! over_every_store {
    ($($case:ident),+ $(,)?) => {
        mod redis_cluster {
            #[test]
            fn every_case() {
                let cluster = $crate::servers::redis_cluster::RedisCluster::start(3, 1, &[]);
                $(
                    // Shown with what fails.
                    println!("{}", stringify!($case));
                    cluster.forget_everything();
                    $crate::stores::block_on(async { super::$case($crate::stores::of_cluster(&cluster)).await });
                )+
            }
        }
        $crate::stores::over_one_store!(memory: $($case),+);
        $crate::stores::over_one_store!(embedded: $($case),+);
        $crate::stores::over_one_store!(embedded_on_disk: $($case),+);
        $crate::stores::over_one_store!(redis: $($case),+);
    };
}

/// The tests of one store, which the function of that name opens.
macro_rules! over_one_store {
    ($store:ident: $($case:ident),+) => {
        mod $store {
            $(
                #[test]
                fn $case() {
                    $crate::stores::block_on(async {
                        let (store, _alive) = $crate::stores::$store();
                        super::$case(store).await;
                    });
                }
            )+
        }
    };
}

use {over_every_store, over_one_store};

fn memory() -> (MemoryStore, ()) {
    (MemoryStore::new(LIMITS).keeping_changes(CHANGES_KEPT), ())
}

fn embedded() -> (EmbeddedStore, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(&in_directory(directory.path())).unwrap();
    (store, directory)
}

/// With no room for records in memory.
fn embedded_on_disk() -> (EmbeddedStore, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let settings = EmbeddedSettings { max_records_in_memory_bytes: 0, ..in_directory(directory.path()) };
    (EmbeddedStore::open(&settings).unwrap(), directory)
}

fn redis() -> (RedisStore, RedisServer) {
    let server = RedisServer::start(&[]);
    let settings = RedisSettings { letter_limits: LIMITS, changes_kept: CHANGES_KEPT, ..server.patient_settings() };
    (RedisStore::open(&settings).unwrap(), server)
}

/// To be called within a runtime.
fn of_cluster(cluster: &RedisCluster) -> RedisStore {
    let settings = patient_settings(cluster.url());
    RedisStore::open(&RedisSettings { letter_limits: LIMITS, changes_kept: CHANGES_KEPT, ..settings }).unwrap()
}

/// Some of what every store does, over one that is reached in another way. Each on an empty store, which `open` gives.
async fn some_of_the_contract(open: impl Fn() -> RedisStore) {
    contract::an_event_counts_once(open()).await;
    contract::many_addresses_at_once_lose_nothing(open()).await;
    contract::an_entry_by_hand_is_kept_and_replaced(open()).await;
    contract::clones_share_what_they_keep(open()).await;
}

fn in_directory(directory: &Path) -> EmbeddedSettings {
    EmbeddedSettings {
        directory: directory.into(),
        letter_limits: LIMITS,
        changes_kept: CHANGES_KEPT,
        max_records_in_memory_bytes: MAX_RECORDS_IN_MEMORY_BYTES,
        waits_for_disk: true,
    }
}

/// Runs on two threads, so that what is done at once is.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// The record of one address.
async fn record_of(store: &impl EvidenceStore, address: &Address) -> Option<Record> {
    store.records(std::slice::from_ref(address)).await.unwrap().remove(0)
}

/// Erases an address as it stands. Says whether there was a record.
async fn erase(store: &impl AdministrativeStore, name: &str, tombstone: Option<Tombstone>) -> bool {
    let seen = record_of(store, &address(name)).await;
    match store.erase(&address(name), seen.as_ref(), tombstone).await.unwrap() {
        Erasure::Done(erased) => erased.had_record,
        Erasure::Changed => panic!("nobody changed it"),
    }
}
