//! The alerts and the dashboard: held to the page, to the metrics that there are, and to a Prometheus that reads a real suppressd.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use serde_json::Value;

use super::markdown::{Document, code_spans, root, rows};
use super::metrics::metric_names;
use crate::clients::grpcio::program;
use crate::journeys::webhook::body;
use crate::servers::prometheus::Prometheus;
use crate::servers::redis::RedisServer;
use crate::servers::redis_cluster::await_condition;
use crate::servers::suppressd::Launch;

/// The columns of a dashboard.
const WIDTH: u64 = 24;

/// What Grafana puts in the place of its variables, here.
const VARIABLES: [(&str, &str); 2] = [("$instance", ".*"), ("$__rate_interval", "1m")];

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join("deploy").join(path)).unwrap()
}

fn yaml(text: &str) -> Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(sys.argv[1]), sys.stdout)";
    let output = Command::new(program("python")).args(["-c", script, text]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn string<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn alerts() -> Vec<Value> {
    let rules = yaml(&text("prometheus/rules.yml"));
    array(&rules, "groups").iter().flat_map(|group| array(group, "rules")).cloned().collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&text("grafana/suppressd.json")).unwrap()
}

/// The panels that show something.
fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    array(dashboard, "panels").iter().filter(|panel| panel["type"] != "row")
}

/// Every expression of the dashboard as Prometheus gets it, with its panel's title.
fn expressions() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let of_panel = |panel: &Value| {
        let title = string(panel, "title").to_owned();
        let written = array(panel, "targets").iter().map(|target| string(target, "expr").to_owned());
        let real = |text: String| VARIABLES.iter().fold(text, |text, (name, value)| text.replace(name, value));
        written.map(|text| (title.clone(), real(text))).collect::<Vec<_>>()
    };
    panels(&dashboard).flat_map(of_panel).collect()
}

/// Has Prometheus's own tool read expressions, as rules.
fn check(expressions: &[(String, String)]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rules.yml");
    // What is JSON is YAML.
    let name = |number| format!("panel:{number}");
    let rules: Vec<_> =
        (0..).zip(expressions).map(|(number, (_, expr))| serde_json::json!({"record": name(number), "expr": expr})).collect();
    std::fs::write(&path, serde_json::json!({"groups": [{"name": "panels", "rules": rules}]}).to_string()).unwrap();
    Command::new("promtool").args(["check", "rules"]).arg(path).output().unwrap()
}

#[test]
fn every_alert_is_on_the_page_and_every_expression_of_the_page_is_an_alert() {
    let plain = |row: &Vec<String>| row.iter().map(|cell| cell.replace('`', "")).collect::<Vec<_>>();
    let page = rows(&Document::read("docs/operations/health.md").section("Alerts worth having"));
    let is_expression = |cell: &str| cell.starts_with('`') && cell.ends_with('`') && code_spans(cell).len() == 1;
    let shown: Vec<_> = page.iter().filter(|row| is_expression(&row[1])).map(plain).collect();
    assert_eq!(shown.len() + 1, page.len(), "one of them is a probe");
    let of_alert = |alert: &Value| -> Vec<String> {
        let annotations = &alert["annotations"];
        assert!(["warning", "critical"].contains(&string(&alert["labels"], "severity")));
        let cells = [&annotations["summary"], &alert["expr"], &annotations["description"], &annotations["action"]];
        cells.map(|cell| cell.as_str().unwrap().to_owned()).to_vec()
    };
    assert_eq!(alerts().iter().map(of_alert).collect::<Vec<_>>(), shown);
}

#[test]
fn every_alert_is_seen_to_fire_and_not_to_fire() {
    let tests = yaml(&text("prometheus/rules.test.yml"));
    let mut seen = BTreeSet::new();
    for test in array(&tests, "tests") {
        let name = string(test, "name");
        let fires: Vec<_> = array(test, "promql_expr_test")
            .iter()
            .map(|at| {
                assert!(string(at, "expr").contains(&format!("alertname=\"{name}\"")), "{at}");
                !array(at, "exp_samples").is_empty()
            })
            .collect();
        assert_eq!(fires, [false, true], "{name}");
        seen.insert(name.to_owned());
    }
    assert_eq!(seen, alerts().iter().map(|alert| string(alert, "alert").to_owned()).collect());
}

#[test]
fn alerts_and_dashboard_name_only_metrics_that_there_are() {
    let there = metric_names();
    let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let of_alerts = alerts().iter().map(|alert| string(alert, "expr").to_owned()).collect::<Vec<_>>();
    let mut named = 0;
    for expression in of_alerts.into_iter().chain(expressions().into_iter().map(|(_, expression)| expression)) {
        for name in expression.split(|letter| !is_name(letter)).filter(|word| word.starts_with("suppressd_")) {
            let known = there.contains(name.strip_suffix("_bucket").unwrap_or(name));
            assert!(known, "there is no metric {name}, for {expression}");
            named += 1;
        }
    }
    assert!(named > 30, "only {named} were found");
}

#[test]
fn promtool_reads_every_expression_of_the_dashboard() {
    let expressions = expressions();
    let output = check(&expressions);
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains(&format!("{} rules found", expressions.len())), "{said}");
    let broken = [(String::new(), "sum by (rate(suppressd_checks_total[1m]))".to_owned())];
    assert!(!check(&broken).status.success());
}

#[test]
fn the_dashboard_is_one_that_can_be_drawn() {
    let dashboard = dashboard();
    let variables: BTreeSet<_> =
        array(&dashboard["templating"], "list").iter().map(|variable| string(variable, "name").to_owned()).collect();
    assert_eq!(variables, ["datasource", "instance"].map(str::to_owned).into());
    let (mut ids, mut titles, mut taken) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for panel in array(&dashboard, "panels") {
        assert!(ids.insert(panel["id"].as_u64().unwrap()) && titles.insert(string(panel, "title")), "twice: {panel}");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        assert!(w > 0 && h > 0 && x + w <= WIDTH, "{panel}");
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(place), "over another one: {panel}");
        }
    }
    for panel in panels(&dashboard) {
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{panel}");
        let mut references = BTreeSet::new();
        for target in array(panel, "targets") {
            assert!(references.insert(string(target, "refId")), "{panel}");
            for of in [panel, target] {
                assert_eq!(of["datasource"]["uid"], "${datasource}", "{panel}");
            }
        }
    }
}

#[test]
fn a_prometheus_has_something_for_every_panel_and_every_alert() {
    let redis = RedisServer::start(&[]);
    let server = Launch::on(&redis.url()).start();
    let prometheus = Prometheus::start(server.http());
    server.webhook().post(body("b", "gone@example.com", "bad-mailbox", 1)).counts();
    assert!(server.checks().is_suppressed("gone@example.com"));
    assert_eq!(server.webhook().get("/v1/suppressions/gone@example.com").status, 200);
    for (title, expression) in expressions() {
        await_condition(&format!("nothing to show: {title}: {expression}"), || prometheus.series(&expression));
    }
    // What an alert compares is there before it is too much: a series that is missing would never be.
    for alert in alerts() {
        let expression = string(&alert, "expr");
        let compared = [" > ", " == "].iter().find_map(|sign| expression.split_once(sign)).expect("it compares").0;
        await_condition(&format!("never there: {compared}"), || prometheus.series(compared));
    }
    let rules = await_condition("the rules were not evaluated", || prometheus.rules());
    assert_eq!(rules.len(), alerts().len());
    for rule in rules {
        assert!(rule["health"] == "ok", "{rule}");
    }
    assert_eq!(prometheus.series("up{job=\"suppressd\"}").unwrap()[0]["value"][1], "1");
}
