//! The administrative half of gRPC by the generated client.

use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;
use suppressd_service::proto::{
    BatchCreateSuppressionsRequest, CreateSuppressionRequest, DeleteSuppressionRequest, DeleteSuppressionResponse,
    EraseAddressRequest, EraseAddressResponse, GetRecordRequest, GetRecordResponse, ListSuppressionsRequest,
    ListSuppressionsResponse, Record, Suppression, SuppressionEntry, SuppressionEntryResult,
};
use tonic::Status;
use tonic::transport::Channel;

use super::rust_caller::Caller;

/// Most pages of a listing that ends.
const MAX_PAGES: usize = 10_000;

/// A client that waits for each answer.
pub(crate) struct Admin {
    caller: Caller,
    client: SuppressionAdminServiceClient<Channel>,
}

impl Admin {
    pub(crate) fn at(url: &str) -> Self {
        let caller = Caller::at(url);
        let client = SuppressionAdminServiceClient::new(caller.channel());
        Self { caller, client }
    }

    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.caller.set_token(token);
        self
    }

    pub(crate) fn create(&self, request: CreateSuppressionRequest) -> Result<Suppression, Status> {
        let answer = self.caller.wait_for(self.client.clone().create_suppression(self.caller.request(request)))?;
        Ok(answer.into_inner().suppression.unwrap())
    }

    /// Suppresses it for good.
    pub(crate) fn suppress(&self, email: &str, note: &str) -> Result<Suppression, Status> {
        let who = "ops".to_owned();
        self.create(CreateSuppressionRequest { email: email.into(), note: note.into(), who, expire_time: None })
    }

    /// Makes entries where they are missing; a word for each.
    pub(crate) fn enter(&self, entries: Vec<SuppressionEntry>) -> Result<Vec<SuppressionEntryResult>, Status> {
        let request = BatchCreateSuppressionsRequest { entries, who: "ops".into() };
        let answer = self.caller.wait_for(self.client.clone().batch_create_suppressions(self.caller.request(request)))?;
        Ok(answer.into_inner().results)
    }

    pub(crate) fn lift(&self, email: &str, why: &str) -> Result<DeleteSuppressionResponse, Status> {
        let request = DeleteSuppressionRequest { email: email.into(), who: "ops".into(), why: why.into() };
        self.caller
            .wait_for(self.client.clone().delete_suppression(self.caller.request(request)))
            .map(tonic::Response::into_inner)
    }

    pub(crate) fn erase(&self, email: &str) -> Result<EraseAddressResponse, Status> {
        let request = self.caller.request(EraseAddressRequest { email: email.into() });
        self.caller.wait_for(self.client.clone().erase_address(request)).map(tonic::Response::into_inner)
    }

    pub(crate) fn explained(&self, email: &str) -> GetRecordResponse {
        let request = self.caller.request(GetRecordRequest { email: email.into(), account: String::new() });
        self.caller.wait_for(self.client.clone().get_record(request)).unwrap().into_inner()
    }

    pub(crate) fn record(&self, email: &str) -> Option<Record> {
        self.explained(email).record
    }

    pub(crate) fn page(&self, request: ListSuppressionsRequest) -> Result<ListSuppressionsResponse, Status> {
        self.caller.wait_for(self.client.clone().list_suppressions(self.caller.request(request))).map(tonic::Response::into_inner)
    }

    /// All pages, with something done after each.
    pub(crate) fn list(&self, mut request: ListSuppressionsRequest, mut meanwhile: impl FnMut()) -> Vec<Suppression> {
        let mut all = Vec::new();
        for _ in 0..MAX_PAGES {
            let page = self.page(request.clone()).unwrap();
            all.extend(page.suppressions);
            if page.next_page_token.is_empty() {
                return all;
            }
            request.page_token = page.next_page_token;
            meanwhile();
        }
        panic!("the listing does not come to an end");
    }
}
