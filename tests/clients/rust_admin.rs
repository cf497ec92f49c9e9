//! The administrative half of gRPC by the generated client.

use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;
use suppressd_service::proto::{
    CreateSuppressionRequest, DeleteSuppressionRequest, DeleteSuppressionResponse, GetRecordRequest, ListSuppressionsRequest,
    ListSuppressionsResponse, Record, Suppression,
};
use tokio::runtime::Runtime;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::servers::suppressd::PATIENCE;

/// Most pages of a listing that ends.
const MAX_PAGES: usize = 10_000;

/// A client that waits for each answer.
pub(crate) struct Admin {
    runtime: Runtime,
    client: SuppressionAdminServiceClient<Channel>,
    token: Option<String>,
}

impl Admin {
    pub(crate) fn at(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let endpoint = Endpoint::from_shared(url.to_owned()).unwrap().timeout(PATIENCE);
        let client = runtime.block_on(async { SuppressionAdminServiceClient::new(endpoint.connect_lazy()) });
        Self { runtime, client, token: None }
    }

    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        request
    }

    pub(crate) fn create(&self, request: CreateSuppressionRequest) -> Result<Suppression, Status> {
        let answer = self.runtime.block_on(self.client.clone().create_suppression(self.request(request)))?;
        Ok(answer.into_inner().suppression.unwrap())
    }

    /// Suppresses it for good.
    pub(crate) fn suppress(&self, email: &str, note: &str) -> Result<Suppression, Status> {
        let who = "ops".to_owned();
        self.create(CreateSuppressionRequest { email: email.into(), note: note.into(), who, expire_time: None })
    }

    pub(crate) fn lift(&self, email: &str, why: &str) -> Result<DeleteSuppressionResponse, Status> {
        let request = DeleteSuppressionRequest { email: email.into(), who: "ops".into(), why: why.into() };
        self.runtime.block_on(self.client.clone().delete_suppression(self.request(request))).map(tonic::Response::into_inner)
    }

    pub(crate) fn record(&self, email: &str) -> Option<Record> {
        let request = self.request(GetRecordRequest { email: email.into(), account: String::new() });
        self.runtime.block_on(self.client.clone().get_record(request)).unwrap().into_inner().record
    }

    pub(crate) fn page(&self, request: ListSuppressionsRequest) -> Result<ListSuppressionsResponse, Status> {
        self.runtime.block_on(self.client.clone().list_suppressions(self.request(request))).map(tonic::Response::into_inner)
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
