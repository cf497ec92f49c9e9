//! All that answers the same question side by side, with the same addresses in it.

use std::rc::Rc;

use tokio::runtime::Runtime;

use crate::asking;
use crate::constant;
use crate::form::Form;
use crate::instead;
use crate::postgres::OwnPostgres;
use crate::recipients;
use crate::redis::OwnRedis;
use crate::server::Server;

/// The servers, and the client's runtime.
pub(crate) struct Stage {
    /// Addresses with evidence.
    pub(crate) size: usize,
    pub(crate) runtime: Runtime,
    pub(crate) floor: Server,
    pub(crate) suppressd: Rc<Server>,
    pub(crate) redis: OwnRedis,
    pub(crate) postgres: OwnPostgres,
}

impl Stage {
    /// It is set up at its first use, and stays for the sections behind that.
    pub(crate) fn of(form: &Form, size: usize) -> Rc<Self> {
        Rc::clone(form.stages.borrow_mut().entry(size).or_insert_with(|| Rc::new(Self::set_up(form, size))))
    }

    fn set_up(form: &Form, size: usize) -> Self {
        let suppressd = recipients::serving(form, size);
        eprintln!("filling a Redis and a PostgreSQL with {size} addresses ...");
        let redis = OwnRedis::start_on_tcp();
        instead::fill_redis(&redis, size);
        let postgres = instead::fill_postgres(size);
        let floor = Server::of_this_executable(constant::FLAG);
        Self { size, runtime: asking::runtime(), floor, suppressd, redis, postgres }
    }

    pub(crate) fn words(&self) -> String {
        format!("{} M evidence", self.size as f64 / 1e6)
    }
}
