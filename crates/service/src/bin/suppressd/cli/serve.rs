//! The flags of `serve`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args, Default)]
#[command(
    after_help = "Each setting is looked for as a flag, then in the environment (--tls-key is SUPPRESSD_TLS_KEY), then in \
                        the file given by --config (tls_key = \"...\").\n\n\
                        Secrets have no flag: SUPPRESSD_WEBHOOK_TOKEN (may only record), SUPPRESSD_READ_TOKEN, \
                        SUPPRESSD_ADMIN_TOKEN, each with up to two tokens, separated by a comma; SUPPRESSD_ACCOUNT_TOKENS=account=token,... \
                        (may only check for their account). A secret in a file is \
                        given as SUPPRESSD_READ_TOKEN_FILE and so on.\n\n\
                        Examples:\n  suppressd serve\n  suppressd serve --store redis://127.0.0.1:6379 --role ingest\n  \
                        SUPPRESSD_READ_TOKEN=... suppressd serve --grpc 0.0.0.0:50051 --tls-certificate c.pem --tls-key k.pem"
)]
pub(crate) struct ServeArguments {
    /// What to serve: all, ingest (webhooks only) or check (no webhooks) [default: all]
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    /// Where evidence is kept: a directory, or redis://user:password@host:port, rediss://, redis+cluster://host:port,host:port or
    /// redis+sentinel://host:port,host:port/service [default: suppressd-data]
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) store: Option<String>,
    /// Keep addresses as keyed hashes, by the key in this file: 32 bytes or more
    #[arg(long, value_name = "FILE")]
    pub(crate) address_key_file: Option<String>,
    /// Where HTTP is served [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub(crate) http: Option<String>,
    /// Where gRPC is served [default: 127.0.0.1:50051]
    #[arg(long, value_name = "ADDR")]
    pub(crate) grpc: Option<String>,
    /// Serve gRPC without TLS beyond loopback
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) grpc_plaintext: Option<String>,
    /// Where Postfix asks, by its socketmap; only on loopback
    #[arg(long, value_name = "ADDR")]
    pub(crate) socketmap: Option<String>,
    /// Certificate of the gRPC server, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_certificate: Option<String>,
    /// Private key of that certificate, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<String>,
    /// Roots that clients' certificates must lead to, in PEM (mutual TLS)
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_client_roots: Option<String>,
    /// Whether HTTP answers checks and administration, too: auto, on or off; auto is on where no stranger can come [default: auto]
    #[arg(long, value_name = "auto|on|off")]
    pub(crate) rest: Option<String>,
    /// Whether clients may ask which gRPC services there are [default: true]
    #[arg(long, value_name = "true|false")]
    pub(crate) reflection: Option<String>,
    /// Whether addresses without a record are answered from memory [default: true]
    #[arg(long, value_name = "true|false")]
    pub(crate) filter: Option<String>,
    /// How long what is known in memory may be believed [default: 250]
    #[arg(long, value_name = "MS")]
    pub(crate) filter_bound_ms: Option<String>,
    /// How evidence is judged, a TOML file; SIGHUP reads it again. Without it, by the provider's rules
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<String>,
    /// Most addresses in a batch check [default: 1000]
    #[arg(long, value_name = "ADDRESSES")]
    pub(crate) max_addresses_per_batch: Option<String>,
    /// Longest webhook body [default: 1048576]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_body_bytes: Option<String>,
    /// Most rejected letters that are kept [default: 10000]
    #[arg(long, value_name = "LETTERS")]
    pub(crate) max_letters: Option<String>,
    /// Most bytes of rejected letters that are kept [default: 67108864]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_letters_bytes: Option<String>,
    /// How long a rejected letter is kept [default: 30]
    #[arg(long, value_name = "DAYS")]
    pub(crate) max_letter_age_days: Option<String>,
    /// Most memory for records of the embedded store [default: 1073741824]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_records_in_memory_bytes: Option<String>,
    /// How many of the latest changes are kept for `watch` [default: 1048576]
    #[arg(long, value_name = "N")]
    pub(crate) changes_kept: Option<String>,
    /// Dangerous settings of Redis that it is used with all the same: their names, separated by commas
    #[arg(long, value_name = "NAMES")]
    pub(crate) redis_allow: Option<String>,
    /// Roots that Redis's certificates must lead to, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) redis_ca: Option<String>,
    /// How many replicas of Redis must have what is acknowledged: auto, all or a number [default: auto]
    #[arg(long, value_name = "REPLICAS")]
    pub(crate) redis_wait_replicas: Option<String>,
    /// Time that Redis has for a read [default: 300]
    #[arg(long, value_name = "MS")]
    pub(crate) redis_read_deadline_ms: Option<String>,
    /// Time that Redis has for a write [default: 2000]
    #[arg(long, value_name = "MS")]
    pub(crate) redis_write_deadline_ms: Option<String>,
    /// Time to finish what is in flight after SIGTERM [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) drain_deadline_seconds: Option<String>,
    /// What is logged: off, error, warn, info, debug, trace, or a filter by module [default: info]
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How it is logged: text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// Acknowledge webhooks before the disk has them: a loss of power then loses what was acknowledged. For experiments
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", hide = true)]
    pub(crate) unsafe_no_fsync: Option<String>,
    /// A TOML file with settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Read the configuration, say whether it can be used, and end
    #[arg(long)]
    pub(crate) check_config: bool,
}
