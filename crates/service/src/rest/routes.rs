//! Which method of gRPC a request is for.

use http::Method;
use http::uri::PathAndQuery;
use prost_reflect::{DescriptorPool, MethodDescriptor};

use crate::Error;
use crate::proto::FILE_DESCRIPTOR_SET;
use crate::proto::suppression_admin_service_server::SERVICE_NAME as ADMINISTRATION;
use crate::proto::suppression_service_server::SERVICE_NAME as CHECKS;

/// Method, path, and what is called. A path has fields of the request in braces; what is behind a colon is a verb. `GET` and
/// `DELETE` take the other fields from the query, `POST` takes them from the body.
///
/// A new method needs a line here, and the description anew: the test that fails without it says how.
const TABLE: &[(Method, &str, &str, &str)] = &[
    (Method::GET, "/v1/suppressions/{email}", CHECKS, "IsSuppressed"),
    (Method::POST, "/v1/suppressions:check", CHECKS, "BatchIsSuppressed"),
    (Method::GET, "/v1/records/{email}", ADMINISTRATION, "GetRecord"),
    (Method::GET, "/v1/suppressions", ADMINISTRATION, "ListSuppressions"),
    (Method::POST, "/v1/suppressions", ADMINISTRATION, "CreateSuppression"),
    (Method::POST, "/v1/suppressions:batchCreate", ADMINISTRATION, "BatchCreateSuppressions"),
    (Method::DELETE, "/v1/suppressions/{email}", ADMINISTRATION, "DeleteSuppression"),
    (Method::POST, "/v1/suppressions/{email}:erase", ADMINISTRATION, "EraseAddress"),
    (Method::POST, "/v1/policy:diff", ADMINISTRATION, "DiffPolicy"),
    (Method::GET, "/v1/incidents", ADMINISTRATION, "ListIncidents"),
    (Method::POST, "/v1/incidents", ADMINISTRATION, "OpenIncident"),
    (Method::POST, "/v1/incidents:preview", ADMINISTRATION, "PreviewIncident"),
    (Method::POST, "/v1/incidents/{id}:keep", ADMINISTRATION, "KeepIncident"),
    (Method::POST, "/v1/incidents/{id}:close", ADMINISTRATION, "CloseIncident"),
    (Method::GET, "/v1/rejectedLetters", ADMINISTRATION, "ListRejectedLetters"),
    (Method::GET, "/v1/rejectedLetters/{id}", ADMINISTRATION, "GetRejectedLetter"),
    (Method::POST, "/v1/rejectedLetters/{id}:replay", ADMINISTRATION, "ReplayRejectedLetter"),
];

/// A method of gRPC, and where REST has it.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) template: &'static str,
    pub(super) rpc: MethodDescriptor,
    /// Where gRPC has it.
    pub(super) path: PathAndQuery,
}

impl Route {
    /// The name of its service.
    pub(super) fn service(&self) -> &str {
        self.rpc.parent_service().full_name()
    }

    /// Whether its fields come in the body.
    pub(super) fn has_body(&self) -> bool {
        self.method == Method::POST
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Routes(Vec<Route>);

/// What there is at a path.
pub(super) enum Found<'r, 'p> {
    Nothing,
    /// Something, by these methods only.
    Others(String),
    /// A route, and the path's fields as they stand there.
    Route(&'r Route, Vec<(&'static str, &'p str)>),
}

impl Routes {
    /// Looks the methods up.
    pub(super) fn resolve() -> Result<Self, Error> {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).map_err(|error| Error::Descriptors(error.to_string()))?;
        let resolve = |(method, template, service, name): &(Method, &'static str, &str, &str)| {
            let missing = || Error::Descriptors(format!("there is no method {service}/{name}"));
            let service = pool.get_service_by_name(service).ok_or_else(missing)?;
            let rpc = service.methods().find(|rpc| rpc.name() == *name).ok_or_else(missing)?;
            let path = format!("/{}/{name}", service.full_name()).parse().map_err(|_| missing())?;
            Ok(Route { method: method.clone(), template, rpc, path })
        };
        TABLE.iter().map(resolve).collect::<Result<_, _>>().map(Self)
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> &[Route] {
        &self.0
    }

    /// Finds what a request is for. `HEAD` is answered as `GET` is; whoever writes the answer leaves the body out.
    pub(super) fn find<'p>(&self, method: &Method, path: &'p str) -> Found<'_, 'p> {
        let mut there: Vec<_> = self.0.iter().filter_map(|route| Some((route, parameters(route.template, path)?))).collect();
        // Of two that fit, the longer one has a verb, which the other one takes for a part of its field.
        let longest = there.iter().map(|(route, _)| route.template.len()).max().unwrap_or_default();
        there.retain(|(route, _)| route.template.len() == longest);
        let mut allowed: Vec<&str> = there.iter().map(|(route, _)| route.method.as_str()).collect();
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        if let Some((route, parameters)) = there.into_iter().find(|(route, _)| route.method == wanted) {
            return Found::Route(route, parameters);
        }
        if allowed.is_empty() {
            return Found::Nothing;
        }
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        allowed.sort_unstable();
        Found::Others(allowed.join(", "))
    }
}

/// The fields in a path, undecoded; none if it is not one of the template's.
fn parameters<'p>(template: &'static str, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
    let mut found = Vec::new();
    let mut segments = path.split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        match expected.strip_prefix('{').and_then(|field| field.split_once('}')) {
            Some((field, verb)) => {
                found.push((field, segment.strip_suffix(verb).filter(|value| !value.is_empty())?));
            }
            None if segment == expected => {}
            None => return None,
        }
    }
    segments.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Methods that REST does not have, each with why.
    const EXEMPT: &[(&str, &str)] = &[
        ("suppression.v1.SuppressionService/StreamIsSuppressed", "HTTP/1.1 has no stream in both directions; POST batches"),
        (
            "suppression.v1.SuppressionAdminService/WatchSuppressions",
            "it never ends, and says why it was cut off in its trailers",
        ),
    ];

    #[test]
    fn every_method_has_a_route_or_is_exempt_by_name() {
        let routes = Routes::resolve().unwrap();
        let name = |rpc: &MethodDescriptor| format!("{}/{}", rpc.parent_service().full_name(), rpc.name());
        let exempt = EXEMPT.iter().map(|(name, _)| (*name).to_owned());
        let served: Vec<String> = routes.all().iter().map(|route| name(&route.rpc)).chain(exempt).collect();
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
        let all: BTreeSet<String> =
            pool.services().flat_map(|service| service.methods().map(|rpc| name(&rpc)).collect::<Vec<_>>()).collect();
        assert_eq!(served.iter().cloned().collect::<BTreeSet<_>>(), all);
        assert_eq!(served.len(), all.len(), "one is there twice");
        let places: BTreeSet<_> = routes.all().iter().map(|route| (route.method.as_str(), route.template)).collect();
        assert_eq!(places.len(), routes.all().len(), "two are at one place");
    }

    #[test]
    fn a_path_s_fields_are_texts_of_the_request() {
        for route in Routes::resolve().unwrap().all() {
            for (field, _) in parameters(route.template, &route.template.replace('{', "x")).unwrap() {
                let field = route.rpc.input().get_field_by_name(field).unwrap();
                assert!(matches!(field.kind(), prost_reflect::Kind::String) && !field.is_list(), "{}", route.template);
            }
            // The client would end in the middle of what HTTP/1.1 can carry.
            assert!(!route.rpc.is_client_streaming());
        }
    }

    #[test]
    fn a_request_finds_its_route() {
        let routes = Routes::resolve().unwrap();
        let found = |method: Method, path: &str| match routes.find(&method, path) {
            Found::Nothing => "nothing".to_owned(),
            Found::Others(allowed) => allowed,
            Found::Route(route, parameters) => format!("{} {parameters:?}", route.rpc.name()),
        };
        assert_eq!(found(Method::GET, "/v1/suppressions/a+b%40x"), r#"IsSuppressed [("email", "a+b%40x")]"#);
        assert_eq!(found(Method::HEAD, "/v1/suppressions/*@x:y"), r#"IsSuppressed [("email", "*@x:y")]"#);
        assert_eq!(found(Method::POST, "/v1/suppressions:check"), "BatchIsSuppressed []");
        assert_eq!(found(Method::POST, "/v1/incidents/7:close"), r#"CloseIncident [("id", "7")]"#);
        assert_eq!(found(Method::PUT, "/v1/suppressions/a@x"), "DELETE, GET, HEAD");
        for path in ["/v1/suppressions:check", "/v1/rejectedLetters/7:replay"] {
            assert_eq!(found(Method::GET, path), "POST");
        }
        for path in ["/", "/v1", "/v1/", "/v1/suppressions/", "/v1/suppressions/a/b", "/v2/suppressions", "/v1/incidents/:close"]
        {
            assert_eq!(found(Method::POST, path), "nothing", "{path}");
        }
    }
}
