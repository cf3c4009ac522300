"""All settings, from the environment (`TAMIS_*`) and the command line. Only `wiring` reads them."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class StagePrice(BaseModel):
    """Credits for each run, each document that is looked at, each call to a model, 1,000 tokens. 0 or more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_run: float = Field(0.0, ge=0, allow_inf_nan=False)
    per_document: float = Field(0.0, ge=0, allow_inf_nan=False)
    per_call: float = Field(0.0, ge=0, allow_inf_nan=False)
    per_1k_tokens: float = Field(0.0, ge=0, allow_inf_nan=False)


class LanguageProvider(BaseModel):
    """base_url: of OpenAI's chat protocol; the named providers have one.  model: where a request names none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str | None = Field(None, pattern="^https?://")
    api_key: SecretStr | None = None
    model: str | None = None


class EmbeddingService(BaseModel):
    """base_url: of OpenAI's `/embeddings`, as `http://localhost:8000/v1`.  model: its name there, else the entry's.

    dimensions: of its rows.  max_tokens: what it reads of a text; longer ones are cut, by estimate.
    query_prefix, document_prefix: what the model was trained to expect.  batch: texts in a request.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(pattern="^https?://")
    model: str | None = None
    dimensions: int = Field(ge=1, le=65_535)
    api_key: SecretStr | None = None
    max_tokens: int = Field(512, ge=8, le=1_000_000)
    query_prefix: str = ""
    document_prefix: str = ""
    batch: int = Field(32, ge=1, le=2048)
    timeout_s: float = Field(60.0, gt=0, le=600)
    retries: int = Field(3, ge=0, le=10)


class SearchProvider(BaseModel):
    """protocol: one of those that Tamis speaks, where the name is none.  base_url: where it has no public one.

    key: the name of one of `secrets`, which must be bound to the provider's host.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    protocol: str | None = None
    base_url: str | None = Field(None, pattern="^https?://")
    key: str | None = None


class SqlConnection(BaseModel):
    """url: `sqlite:///path/to/file.db` (four slashes where the path begins at the root) or `postgresql://...`.

    tables: the only ones that are read, of an SQLite file; in PostgreSQL its role's rights say so.
    namespaces: ids of those that may use it; None lets all.  max_rows, max_bytes, timeout_s: of one lookup.
    at_once: lookups.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr
    tables: list[str] | None = None
    namespaces: list[str] | None = None
    max_rows: int = Field(1000, ge=1, le=100_000)
    max_bytes: int = Field(1 << 20, ge=1024)
    timeout_s: float = Field(30.0, gt=0, le=300)
    at_once: int = Field(4, ge=1, le=64)


class FileLimits(BaseModel):
    """The most bytes of one file by what it is, which its content tells. Decoding is by pieces: these bound time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: int = Field(64 << 20, ge=0)
    image: int = Field(64 << 20, ge=0)
    audio: int = Field(2 << 30, ge=0)
    video: int = Field(16 << 30, ge=0)
    document: int = Field(256 << 20, ge=0)
    other: int = Field(64 << 20, ge=0)


class RequestsPerMinute(BaseModel):
    """Of an organisation, by kind of operation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    compute: int = Field(10, ge=1)
    data: int = Field(10, ge=1)
    metadata: int = Field(10, ge=1)
    search: int = Field(10, ge=1)
    upload: int = Field(10, ge=1)


class Tier(BaseModel):
    """What an organisation of the tier gets; null for as much as it wants.

    executions: that run at once.  The rest: how many of each there may be in the whole organisation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests_per_minute: RequestsPerMinute | None = None
    executions: int | None = Field(None, ge=1)
    namespaces: int | None = Field(None, ge=1)
    buckets: int | None = Field(None, ge=1)
    collections: int | None = Field(None, ge=1)
    documents: int | None = Field(None, ge=1)
    retrievers: int | None = Field(None, ge=1)
    api_keys: int | None = Field(None, ge=1)


_FREE = Tier(
    requests_per_minute=RequestsPerMinute(), executions=5, namespaces=1, buckets=5, collections=5, documents=10_000,
    retrievers=3, api_keys=2,
)  # fmt: skip
_PRO = Tier(
    requests_per_minute=RequestsPerMinute(compute=60, data=60, metadata=60, search=60, upload=60), executions=50,
    namespaces=10, buckets=50, collections=50, documents=1_000_000, retrievers=50, api_keys=10,
)  # fmt: skip


class Tiers(BaseModel):
    """What organisations get by their `account_type`; the one that the first start makes is of `enterprise`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    free: Tier = _FREE
    pro: Tier = _PRO
    team: Tier = Tier()
    enterprise: Tier = Tier()


class Settings(BaseSettings):
    """One frozen object. Each field's environment variable is `TAMIS_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="TAMIS_", frozen=True, extra="ignore")

    data_dir: Path = Path("./tamis-data")
    host: str = "127.0.0.1"
    port: int = Field(8700, ge=0, le=65535)
    allowed_hosts: str = ""
    """More names that this server answers to, by commas: exact, `*.example.com` for all below, `*` for every name."""
    tls_cert: Path | None = None
    """A certificate with its chain, as PEM: the server then speaks HTTPS alone."""
    tls_key: Path | None = None
    """Its private key, as PEM, where that is not in the same file."""
    drain_notice_s: float = Field(0.0, ge=0, le=600)
    """How long, after SIGTERM, requests are still taken while `/readyz` says 503, so that balancers turn away first."""
    drain_s: float = Field(25.0, ge=0, le=3600)
    """How long requests and streams that run may then take to end."""
    root_key: str | None = None
    """The admin key, instead of one that the first start makes up."""
    public_url: str | None = None
    """How clients reach this server, for links such as presigned uploads; else the request's own base URL."""
    database_url: str | None = None
    """PostgreSQL, as `postgresql+psycopg://...`; else SQLite in the data directory."""
    database_wait_s: float = Field(10.0, ge=0.01, le=600)
    """How long a write waits while another program holds the database; then it is answered 503."""
    index_url: str | None = None
    """A Qdrant cluster; else the embedded index in the data directory."""
    index_api_key: str | None = None
    blob_url: str | None = None
    """An object store, as `s3://bucket/prefix`; else a folder in the data directory."""
    model_dir: Path | None = None
    """Where model files are looked for first, by name."""
    model_cache_dir: Path | None = None
    """Where fetched models are kept; else the user's cache directory."""
    model_downloads: bool = True
    """Whether a missing model may be fetched."""
    embedding_endpoints: dict[str, EmbeddingService] = Field(default_factory=dict)
    """Text embedding models of services, by the name that collections give as `model`."""
    extraction_threads: int = Field(2, ge=0, le=64)
    """Extractor calls at once; with two, one counts words while the other embeds. 0 leaves batches to other servers."""
    ray_address: str | None = Field(None, pattern=r"^ray://[^/]+:\d+$")
    """The Ray Client server of a cluster whose actors extract, as `ray://head:10001`; else threads of the server."""
    model_threads: int = Field(0, ge=0, le=256)
    """Threads inside one model call; 0 takes one for each core."""
    decode_workers: int = Field(0, ge=0, le=64)
    """Processes that decode media, started when they are needed; 0 takes one for each core."""
    decode_memory_bytes: int = Field(1 << 30, ge=128 << 20)
    """The most memory of one of them; a file that needs more fails."""
    decode_timeout_s: float = Field(300.0, gt=0, le=86400)
    """For one file, where its kind has no longer one."""
    file_limits: FileLimits = FileLimits()
    """The most bytes of a file that is extracted, by its kind: `{"video": 2000000000}`; the others keep theirs."""
    blob_link_s: float = Field(3600.0, ge=1, le=7 * 86400)
    """For how long a link to a file of a document is good, at least."""
    client_token_max_s: float = Field(86_400.0, ge=1, le=366 * 86_400)
    """The longest that a client token may live from its `iat` to its `exp`."""
    trusted_proxies: str = ""
    """Networks of proxies whose X-Forwarded-For is believed, by commas, as `10.0.0.0/8`."""
    interaction_days: int = Field(365, ge=1, le=36_500)
    """For how long interactions are kept."""
    max_published: int = Field(100, ge=0)
    """Published retrievers of one organisation."""
    max_request_bytes: int = Field(32 * 1024 * 1024, ge=1024)
    max_upload_bytes: int = Field(1024 * 1024 * 1024, ge=1024)
    max_connections: int = Field(1000, ge=1, le=1_000_000)
    """That are open at once. Where another comes, one gives way that keeps the server waiting."""
    max_head_bytes: int = Field(64 * 1024, ge=8192)
    """Of a request line and its headers."""
    head_s: float = Field(10.0, ge=0.1, le=3600)
    """How long they may take to come, from their first byte."""
    body_stall_s: float = Field(30.0, ge=0.1, le=3600)
    """For how long less than a kilobyte of a body may come before the request is given up."""
    tiers: Tiers = Tiers()
    """Limits of organisations: `{"enterprise": {"executions": 20, "requests_per_minute": {"search": 600}}}`."""
    max_executions: int = Field(256, ge=1)
    """That run at once in this server, of everyone."""
    max_executions_of_key: int | None = Field(None, ge=1)
    """That run at once with one API key."""
    execution_queue: int = Field(256, ge=0)
    """How many executions may wait for others to end, in all; one organisation has at most half of the places."""
    execution_wait_s: float = Field(2.0, ge=0, le=60)
    """How long one waits before it is answered 429."""
    max_stages: int = Field(50, ge=1, le=1000)
    """Of one pipeline."""
    max_queued_batches: int = Field(1000, ge=1)
    """Batches of one organisation that are submitted and have not ended."""
    results_alias: bool = True
    """Whether an execution's answer repeats `documents` as `results`, as later clients read it."""
    stream_heartbeat_s: float = Field(15.0, gt=0, le=3600)
    """How long a stream of events may be silent before it sends a comment, so that proxies keep it open."""
    stream_stall_s: float = Field(60.0, gt=0, le=86400)
    """How long a reader of a stream may take nothing of what waits for him before he is dropped."""
    stage_plugins: str = "*"
    """Packages whose stages are added, by commas; `*` for every one that is installed, empty for none."""
    extractor_plugins: str = "*"
    """Packages whose extractors are added, by commas; `*` for every one that is installed, empty for none."""
    prices: dict[str, float | StagePrice] = Field(default_factory=dict)
    """Credits by stage id, over the built-in table: a number for each run, or a `StagePrice`."""
    cache_bytes: int = Field(128 * 1024 * 1024, ge=0)
    """Memory for what may be answered again: query embeddings, stages, whole answers; 0 keeps nothing."""
    cache_url: SecretStr | None = None
    """A Redis, as `redis://`, `rediss://` or `unix://`, for caches, rates and locks of several servers; else each has
    its own in memory."""
    log_level: str = "INFO"
    log_format: Literal["text", "json"] = "text"
    """Log lines for people, or one JSON object each."""
    metrics: bool = True
    """Whether `/metrics` is counted and served."""
    metrics_token: SecretStr | None = None
    """What a scraper sends as bearer; without it `/metrics` answers on a loopback address alone."""
    secrets: SecretStr | None = None
    """JSON: secrets that stages may use by name: `{"name": {"value": "...", "hosts": ["api.example.com"]}}`."""
    secrets_file: Path | None = None
    """A JSON file of more of them, so that none stands in the environment."""
    secret_key: SecretStr | None = None
    """The key that organisations' own secrets are sealed with: 32 characters of chance or more. Several by commas: the
    first seals, all of them open; at the start what an older one sealed is sealed anew."""
    secret_key_file: Path | None = None
    """A file that holds it instead, one key on a line."""
    credit_rate_usd: float = Field(0.001, ge=0, le=1000, allow_inf_nan=False)
    """What a credit is worth, where spending is shown or capped in money."""
    outside_domains: str = ""
    """Domains that stages may reach, by commas: exact, `*.example.com` for all below, `*` for every name."""
    outside_networks: str = ""
    """Networks that are reached although not public, by commas, as `10.0.0.0/8, ::1/128`."""
    outside_ports: str = "80, 443"
    outside_timeout_s: float = Field(60.0, gt=0, le=600)
    outside_max_bytes: int = Field(10 * 1024 * 1024, ge=1024)
    """The most of one answer, decompressed."""
    outside_requests_per_minute: int = Field(120, ge=1)
    """Of one namespace to one host."""
    outside_concurrency: int = Field(8, ge=1, le=256)
    """Requests of one namespace at once."""
    outside_retries: int = Field(2, ge=0, le=10)
    """Attempts after a failed one, within the time limit, waiting longer each time or as the service asks."""
    outside_user_agent: str = Field("tamis", pattern=r"^[A-Za-z][A-Za-z_-]*[ -~]{0,150}$")
    """Who asks; its first word is who sites' robots.txt is read as."""
    outside_robots: bool = True
    """Whether web pages are read only where their site's robots.txt allows it."""
    connection_folders: str = ""
    """Folders that storage connections may read, by commas: `/srv/media`, or `org_...:/srv/media` for one
    organisation alone."""
    code_workers: int = Field(2, ge=0, le=64)
    """Processes of each language that run pipelines' programs, started when they are needed; 0 runs none."""
    code_max_documents: int = Field(1000, ge=1)
    """On how many documents one call of a stage runs its program."""
    search_providers: dict[str, SearchProvider] = Field(default_factory=dict)
    """Search engines that stages may ask, by name; the first of its kind is asked where a stage names none."""
    search_cache_s: float = Field(3600.0, ge=0, le=7 * 86400)
    """For how long their answers are given again without asking; 0 keeps none."""
    sql_connections: dict[str, SqlConnection] = Field(default_factory=dict)
    """Databases that stages may ask, by name, as `{"stock": {"url": "sqlite:///stock.db"}}`; they are only read."""
    llm_provider: str = "openai"
    """Where prompts go that name no provider: `openai`, `google`, `anthropic`, or one of `llm_providers`."""
    llm_base_url: str | None = Field(None, pattern="^https?://")
    """That provider's endpoint of OpenAI's chat protocol, such as a local server's; else the public one."""
    llm_api_key: SecretStr | None = None
    """That provider's key."""
    llm_model: str | None = None
    """That provider's model for prompts that name none."""
    llm_providers: dict[str, LanguageProvider] = Field(default_factory=dict)
    """More providers by name."""
    llm_timeout_s: float = Field(60.0, gt=0, le=3600)
    """For one call to a language model, its retries included."""
    llm_retries: int = Field(3, ge=0, le=10)
    """Attempts after a failed one, waiting longer each time or as long as the provider asks."""
    llm_concurrency: int = Field(8, ge=1, le=256)
    """Calls to language models at once."""
