//! The manifests of Kubernetes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Process, SECONDS_BEYOND_DRAIN, at, deploy, read_changed, read_yaml, text};
use crate::documents::markdown::{Document, code_spans};

const ROLES: [&str; 2] = ["ingest", "check"];

/// What is not for the cluster: kustomize itself reads the first, and the second is an example.
const NOT_APPLIED: [&str; 2] = ["kustomization.yaml", "secret.example.yaml"];

fn read(name: &str) -> Vec<Value> {
    let read = read_yaml("kubernetes", &deploy().join("kubernetes").join(name)).unwrap_or_else(|why| panic!("{name}: {why}"));
    read.as_array().unwrap().clone()
}

fn of_kind(documents: &[Value], kind: &str) -> Value {
    let mut found = documents.iter().filter(|document| document["kind"] == kind);
    let one = found.next().unwrap_or_else(|| panic!("there is no {kind}")).clone();
    assert!(found.next().is_none(), "there are several {kind}");
    one
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn named<'a>(all: &'a [Value], name: &str) -> &'a Value {
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("there is no {name}"))
}

#[test]
fn the_schemas_allow_them_and_do_not_allow_everything() {
    let mut there = BTreeSet::new();
    for entry in std::fs::read_dir(deploy().join("kubernetes")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name != NOT_APPLIED[0] {
            read(&name);
        }
        there.insert(name);
    }
    for (from, to) in [("capabilities:", "capability:"), ("port: 50051", "port: grpc"), ("minReplicas: 2", "minReplicas: few")] {
        assert!(read_changed("kubernetes", "kubernetes/check.yaml", from, to).is_err(), "{to}");
    }
    // kustomize applies all of them.
    let kustomization = text("kubernetes/kustomization.yaml");
    let applied: BTreeSet<_> = kustomization.lines().filter_map(|line| line.strip_prefix("  - ")).collect();
    for name in there.iter().filter(|name| !NOT_APPLIED.contains(&&***name)) {
        assert!(applied.contains(&**name), "{name} is not applied");
    }
}

#[test]
fn every_pod_is_confined() {
    let namespace = of_kind(&read("namespace.yaml"), "Namespace");
    assert_eq!(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted");
    for role in ROLES {
        let deployment = of_kind(&read(&format!("{role}.yaml")), "Deployment");
        let pod = at(&deployment, "/spec/template/spec");
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(pod["automountServiceAccountToken"], false);
        let [container] = list(&pod["containers"]) else { panic!("one container") };
        assert_eq!(
            container["securityContext"],
            json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}})
        );
        assert!(container["resources"]["requests"]["cpu"].is_string() && container["resources"]["limits"]["memory"].is_string());
        assert!(list(&container["volumeMounts"]).iter().all(|mount| mount["readOnly"] == true));
        assert_eq!(list(&pod["topologySpreadConstraints"]).len(), 2);
    }
}

#[test]
fn suppressd_takes_what_the_pods_give_it() {
    let policy = of_kind(&read("policy.yaml"), "ConfigMap");
    let secret = of_kind(&read("secret.example.yaml"), "Secret");
    assert_eq!(policy["data"]["policy.toml"].as_str().unwrap(), text("policy.toml"), "one policy for all that is deployed");
    for role in ROLES {
        let deployment = of_kind(&read(&format!("{role}.yaml")), "Deployment");
        let pod = at(&deployment, "/spec/template/spec");
        let container = at(pod, "/containers/0");
        assert_eq!(container["args"], json!(["serve"]));
        let variables: BTreeMap<_, _> = list(&container["env"])
            .iter()
            .map(|pair| (pair["name"].as_str().unwrap().to_owned(), pair["value"].as_str().unwrap().to_owned()))
            .collect();
        let mut files = BTreeMap::new();
        for mount in list(&container["volumeMounts"]) {
            let place = mount["mountPath"].as_str().unwrap();
            let volume = named(list(&pod["volumes"]), mount["name"].as_str().unwrap());
            let (source, content) = if volume["secret"].is_object() {
                assert_eq!(volume["secret"]["secretName"], secret["metadata"]["name"]);
                (&volume["secret"]["items"], &secret["stringData"])
            } else {
                assert_eq!(volume["configMap"]["name"], policy["metadata"]["name"]);
                (&Value::Null, &policy["data"])
            };
            let items = list(source).iter().map(|item| (&item["key"], &item["path"]));
            let items: Vec<_> = items.map(|(key, path)| (key.as_str().unwrap(), path.as_str().unwrap())).collect();
            let items = if items.is_empty() { vec![("policy.toml", "policy.toml")] } else { items };
            for (key, path) in items {
                files.insert(format!("{place}/{path}"), content[key].as_str().unwrap().to_owned());
            }
        }
        let used = variables.values().filter(|value| files.contains_key(*value)).count();
        assert_eq!(used, files.len(), "{role}: each file is used");
        let process = Process { name: role.to_owned(), variables, files };
        process.check();
        assert_eq!(process.variables["SUPPRESSD_ROLE"], role);
        assert!(process.variables.values().all(|value| !value.starts_with("/run/") || process.files.contains_key(value)));

        let pause = at(container, "/lifecycle/preStop/sleep/seconds").as_u64().unwrap();
        let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
        assert!(grace >= pause + process.drain_seconds() + SECONDS_BEYOND_DRAIN, "{role}");
        let ports = list(&container["ports"]);
        assert_eq!(named(ports, "http")["containerPort"].as_u64(), process.port("SUPPRESSD_HTTP"));
        check_probes(role, container, &process);
    }
}

/// The probes ask where it listens, and what the page says that is there.
fn check_probes(role: &str, container: &Value, process: &Process) {
    let page = Document::read("docs/operations/health.md").section("Health and readiness");
    let live = at(container, "/livenessProbe/httpGet");
    assert_eq!((live["path"].as_str(), live["port"].as_str()), (Some("/healthz"), Some("http")), "Redis restarts nobody");
    assert!(page.contains("`GET /healthz`") && page.contains("`GET /readyz`"));
    let ready = at(container, "/readinessProbe");
    if role == "check" {
        assert_eq!(ready["grpc"]["port"].as_u64(), process.port("SUPPRESSD_GRPC"));
        assert!(code_spans(&page).contains(&ready["grpc"]["service"].as_str().unwrap()), "{ready}");
    } else {
        assert_eq!((ready["httpGet"]["path"].as_str(), ready["httpGet"]["port"].as_str()), (Some("/readyz"), Some("http")));
    }
}

#[test]
fn whatever_selects_pods_selects_those_of_its_role() {
    for role in ROLES {
        let documents = read(&format!("{role}.yaml"));
        let deployment = of_kind(&documents, "Deployment");
        let name = deployment["metadata"]["name"].clone();
        let labels = at(&deployment, "/spec/template/metadata/labels");
        assert_eq!(labels["app.kubernetes.io/component"], role);
        assert_eq!(at(&deployment, "/spec/selector/matchLabels"), labels);
        assert_eq!(at(&of_kind(&documents, "Service"), "/spec/selector"), labels);
        assert_eq!(at(&of_kind(&documents, "PodDisruptionBudget"), "/spec/selector/matchLabels"), labels);
        let scaler = of_kind(&documents, "HorizontalPodAutoscaler");
        assert_eq!(scaler["spec"]["scaleTargetRef"]["name"], name);
        assert!(scaler["spec"]["minReplicas"].as_u64() >= Some(2), "one alone is away while its machine is");
        let ports = at(&deployment, "/spec/template/spec/containers/0/ports");
        for port in list(at(&of_kind(&documents, "Service"), "/spec/ports")) {
            named(list(ports), port["targetPort"].as_str().unwrap());
        }
        let policies = read("network-policy.yaml");
        let own = policies.iter().find(|policy| policy["metadata"]["name"] == name).unwrap();
        assert_eq!(at(own, "/spec/podSelector/matchLabels"), labels);
        for rule in list(at(own, "/spec/ingress")) {
            named(list(ports), at(rule, "/ports/0/port").as_str().unwrap());
        }
    }
    let nothing_else = &read("network-policy.yaml")[0]["spec"];
    assert_eq!(*nothing_else, json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
}
