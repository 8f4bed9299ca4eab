-- Text that identifies something in Slurm compares by bytes (COLLATE "C"): Slurm is case-sensitive, and the order must
-- not depend on the machine's locale.

CREATE TABLE settings (
  key   text PRIMARY KEY,
  value jsonb NOT NULL
);

-- Identity ------------------------------------------------------------------------------------------------------------

CREATE TABLE users (
  username        text COLLATE "C" PRIMARY KEY CHECK (username <> ''),
  role            text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
  -- Null: known from Slurm only, cannot sign in.
  password_hash   text,
  default_account text COLLATE "C" NOT NULL DEFAULT '',
  -- Submit time of the job that named the default account: only a newer job changes it.
  account_seen_at timestamptz,
  tier_override   text CHECK (tier_override IN ('mu', 'gov', 'private')),
  created_at      timestamptz NOT NULL
);

CREATE TABLE sessions (
  -- SHA-256 of the cookie's token, so that a copy of this table signs nobody in.
  token_hash   bytea PRIMARY KEY,
  username     text COLLATE "C" NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at   timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_user ON sessions (username);

CREATE TABLE login_throttle (
  username          text COLLATE "C" NOT NULL,
  ip                text NOT NULL,
  fails             integer NOT NULL,
  window_started_at timestamptz NOT NULL,
  locked_until      timestamptz,
  PRIMARY KEY (username, ip)
);
CREATE INDEX login_throttle_by_age ON login_throttle (window_started_at);

-- Audit ---------------------------------------------------------------------------------------------------------------

CREATE TABLE audit_log (
  id          bigint PRIMARY KEY,
  at          timestamptz NOT NULL,
  actor       text NOT NULL,
  action      text NOT NULL,
  subject     text NOT NULL,
  details     jsonb NOT NULL,
  request_id  text,
  key_id      text NOT NULL,
  prev_hash   text NOT NULL,
  hash        text NOT NULL UNIQUE
);
CREATE INDEX audit_log_by_subject ON audit_log (subject, id);
CREATE INDEX audit_log_by_actor ON audit_log (actor, id);
CREATE INDEX audit_log_by_action ON audit_log (action, id);

-- The one row that makes writers queue, so that there is one chain.
CREATE TABLE audit_head (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  id        bigint NOT NULL,
  hash      text NOT NULL
);
INSERT INTO audit_head (id, hash) VALUES (0, '');

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE audit_checks (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  checked_at timestamptz NOT NULL,
  ok         boolean NOT NULL,
  records    bigint NOT NULL,
  head       text NOT NULL,
  broken_at  bigint,
  reason     text
);

-- Prices --------------------------------------------------------------------------------------------------------------

-- One row is one version of a rate: never edited. Null in a narrowing column means "any".
CREATE TABLE rates (
  id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tier           text NOT NULL CHECK (tier IN ('mu', 'gov', 'private')),
  cluster        text COLLATE "C",
  partition      text COLLATE "C",
  qos            text COLLATE "C",
  cpu_micro      bigint NOT NULL CHECK (cpu_micro >= 0),
  gpu_micro      bigint NOT NULL CHECK (gpu_micro >= 0),
  mem_micro      bigint NOT NULL CHECK (mem_micro >= 0),
  -- {"a100": "42500000"}: millionths of the currency unit per GPU-hour of that type.
  gpu_type_micro jsonb NOT NULL DEFAULT '{}',
  -- Null: holds for all usage that is not billed yet.
  effective_from timestamptz,
  note           text NOT NULL DEFAULT '',
  -- pricing_state.version that this row made: a receipt knows the version it was priced by.
  price_version  bigint NOT NULL,
  created_at     timestamptz NOT NULL,
  created_by     text NOT NULL
);
CREATE TRIGGER rates_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rates
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One row is one version of all charging rules (basis, exemptions, shares): never edited.
CREATE TABLE rule_sets (
  id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  basis          text NOT NULL CHECK (basis IN ('allocated', 'used')),
  exemptions     jsonb NOT NULL,
  shares         jsonb NOT NULL,
  effective_from timestamptz,
  note           text NOT NULL DEFAULT '',
  price_version  bigint NOT NULL,
  created_at     timestamptz NOT NULL,
  created_by     text NOT NULL
);
CREATE TRIGGER rule_sets_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_sets
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE tier_rules (
  id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  position integer NOT NULL,
  subject  text NOT NULL CHECK (subject IN ('account', 'username')),
  pattern  text COLLATE "C" NOT NULL CHECK (pattern <> ''),
  tier     text NOT NULL CHECK (tier IN ('mu', 'gov', 'private')),
  UNIQUE (subject, pattern)
);

-- Whoever prices takes this row FOR SHARE, whoever changes prices updates it: no job is priced by a book that is being replaced.
CREATE TABLE pricing_state (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  version   bigint NOT NULL
);
INSERT INTO pricing_state (version) VALUES (1);

-- Background re-pricing of unbilled jobs after a price change; the cursor makes it resumable.
CREATE TABLE reprice_tasks (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Null: everybody.
  user_name      text COLLATE "C",
  reason         text NOT NULL,
  created_at     timestamptz NOT NULL,
  finished_at    timestamptz,
  jobs_seen      bigint NOT NULL DEFAULT 0,
  jobs_changed   bigint NOT NULL DEFAULT 0,
  after_user     text COLLATE "C",
  after_end_at   timestamptz,
  after_cluster  text COLLATE "C",
  after_raw      text COLLATE "C",
  after_submit   timestamptz
);
CREATE INDEX reprice_tasks_open ON reprice_tasks (id) WHERE finished_at IS NULL;

-- Usage ---------------------------------------------------------------------------------------------------------------

CREATE TABLE clusters (
  name          text COLLATE "C" PRIMARY KEY CHECK (name <> ''),
  first_seen_at timestamptz NOT NULL,
  -- True once a source gave jobs without JobIDRaw or Submit: then every import must look for them under their other key.
  has_weak_keys boolean NOT NULL DEFAULT false
);

CREATE TABLE import_runs (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source      text NOT NULL,
  started_at  timestamptz NOT NULL,
  started_by  text NOT NULL,
  finished_at timestamptz,
  status      text NOT NULL CHECK (status IN ('running', 'done', 'failed')),
  error       text,
  rows        bigint NOT NULL DEFAULT 0,
  new         bigint NOT NULL DEFAULT 0,
  changed     bigint NOT NULL DEFAULT 0,
  unchanged   bigint NOT NULL DEFAULT 0,
  running     bigint NOT NULL DEFAULT 0,
  rejected    bigint NOT NULL DEFAULT 0
);

CREATE SEQUENCE job_batch_ids;

-- No foreign keys on this table: their per-row triggers would cost an import more than the rows themselves. Users and
-- clusters are created in the same transaction as the jobs that name them, and are never deleted.
CREATE TABLE jobs (
  cluster              text COLLATE "C" NOT NULL,
  raw_job_id           text COLLATE "C" NOT NULL,
  submit_at            timestamptz NOT NULL,
  job_id               text COLLATE "C" NOT NULL,
  key_is_weak          boolean NOT NULL,
  user_name            text COLLATE "C" NOT NULL,
  account              text COLLATE "C" NOT NULL,
  partition            text COLLATE "C" NOT NULL,
  qos                  text COLLATE "C" NOT NULL,
  job_name             text NOT NULL,
  phase                text COLLATE "C" NOT NULL,
  state                text COLLATE "C" NOT NULL,
  exit_code            text NOT NULL,
  node_list            text NOT NULL,
  comment              text NOT NULL,
  start_at             timestamptz,
  end_at               timestamptz,
  elapsed_seconds      bigint NOT NULL,
  alloc_cpus           bigint NOT NULL,
  alloc_nodes          bigint NOT NULL,
  alloc_mem_mib        bigint NOT NULL,
  alloc_gpus           bigint NOT NULL,
  -- Canonical: "a100=2,h100=1", ordered by type.
  gpu_types            text COLLATE "C" NOT NULL,
  alloc_billing        bigint NOT NULL,
  energy_joules        bigint NOT NULL,
  used_cpu_ms          bigint,
  used_mem_kib_seconds bigint,
  -- Day of the end in the site's time zone: the day this job counts on.
  usage_day            date,
  tier                 text COLLATE "C" NOT NULL,
  charge_kind          text COLLATE "C" NOT NULL,
  free_reason          text,
  rate_id              integer,
  rule_set_id          integer,
  cpu_minor            bigint NOT NULL,
  gpu_minor            bigint NOT NULL,
  mem_minor            bigint NOT NULL,
  receipt_id           bigint,
  batch_id             bigint NOT NULL,
  PRIMARY KEY (cluster, raw_job_id, submit_at),
  CHECK (phase IN ('finished', 'active', 'unknown')),
  CHECK (charge_kind IN ('priced', 'free', 'nothing', 'accruing', 'held')),
  CHECK ((phase = 'finished') = (usage_day IS NOT NULL)),
  CHECK (phase <> 'finished' OR end_at IS NOT NULL),
  CHECK (receipt_id IS NULL OR phase = 'finished'),
  CHECK (elapsed_seconds >= 0 AND alloc_cpus >= 0 AND alloc_gpus >= 0 AND alloc_mem_mib >= 0)
);
CREATE INDEX jobs_by_user ON jobs (user_name, end_at);
CREATE INDEX jobs_by_end ON jobs (end_at);
CREATE INDEX jobs_unbilled ON jobs (user_name, end_at) WHERE receipt_id IS NULL AND phase = 'finished';
CREATE INDEX jobs_unfinished ON jobs (user_name) WHERE phase <> 'finished';
CREATE INDEX jobs_weak ON jobs (cluster, job_id, start_at) WHERE key_is_weak;

-- Finished jobs, summed. Kept exact in every transaction that touches jobs.
CREATE TABLE usage_daily (
  day                date NOT NULL,
  cluster            text COLLATE "C" NOT NULL,
  user_name          text COLLATE "C" NOT NULL,
  account            text COLLATE "C" NOT NULL,
  partition          text COLLATE "C" NOT NULL,
  tier               text COLLATE "C" NOT NULL,
  jobs               bigint NOT NULL DEFAULT 0,
  failed_jobs        bigint NOT NULL DEFAULT 0,
  held_jobs          bigint NOT NULL DEFAULT 0,
  cpu_seconds        bigint NOT NULL DEFAULT 0,
  gpu_seconds        bigint NOT NULL DEFAULT 0,
  mem_mib_seconds    numeric(30) NOT NULL DEFAULT 0,
  node_seconds       bigint NOT NULL DEFAULT 0,
  billing_seconds    bigint NOT NULL DEFAULT 0,
  energy_joules      numeric(30) NOT NULL DEFAULT 0,
  failed_cpu_seconds bigint NOT NULL DEFAULT 0,
  failed_gpu_seconds bigint NOT NULL DEFAULT 0,
  cpu_minor          bigint NOT NULL DEFAULT 0,
  gpu_minor          bigint NOT NULL DEFAULT 0,
  mem_minor          bigint NOT NULL DEFAULT 0,
  unbilled_jobs      bigint NOT NULL DEFAULT 0,
  unbilled_minor     bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (day, cluster, user_name, account, partition, tier)
);
CREATE INDEX usage_daily_by_user ON usage_daily (user_name, day);
CREATE INDEX usage_daily_unbilled ON usage_daily (day) WHERE unbilled_jobs > 0;

-- A job whose record changed after it was billed: what the receipt says, what Slurm says now, and the difference to settle.
CREATE TABLE corrections (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cluster      text COLLATE "C" NOT NULL,
  raw_job_id   text COLLATE "C" NOT NULL,
  submit_at    timestamptz NOT NULL,
  user_name    text COLLATE "C" NOT NULL,
  receipt_id   bigint NOT NULL,
  recorded_at  timestamptz NOT NULL,
  before       jsonb NOT NULL,
  after        jsonb NOT NULL,
  before_minor bigint NOT NULL,
  after_minor  bigint NOT NULL,
  status       text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'settled', 'superseded'))
);
CREATE INDEX corrections_by_job ON corrections (cluster, raw_job_id, submit_at);
CREATE INDEX corrections_open ON corrections (user_name) WHERE status = 'open';
CREATE INDEX corrections_by_receipt ON corrections (receipt_id);

-- Receipts ------------------------------------------------------------------------------------------------------------

CREATE TABLE receipt_counters (
  year integer PRIMARY KEY,
  last integer NOT NULL
);

CREATE SEQUENCE receipt_ids;

CREATE TABLE receipts (
  id             bigint PRIMARY KEY,
  number         text COLLATE "C" NOT NULL UNIQUE CHECK (number ~ '^R-[0-9]{4}-[0-9]{6,}$'),
  user_name      text COLLATE "C" NOT NULL REFERENCES users,
  status         text NOT NULL CHECK (status IN ('pending', 'paid', 'void')),
  -- Jobs that ended up to and including this day, in the site's time zone.
  cutoff_day     date NOT NULL,
  issued_at      timestamptz NOT NULL,
  issued_by      text NOT NULL,
  tier           text NOT NULL CHECK (tier IN ('mu', 'gov', 'private')),
  accounts       text NOT NULL,
  currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  price_version  bigint NOT NULL,
  jobs           bigint NOT NULL CHECK (jobs > 0),
  subtotal_minor bigint NOT NULL CHECK (subtotal_minor >= 0),
  tax_label      text,
  tax_rate_micro bigint,
  tax_inclusive  boolean NOT NULL,
  tax_minor      bigint NOT NULL CHECK (tax_minor >= 0),
  total_minor    bigint NOT NULL CHECK (total_minor >= 0),
  paid_at        timestamptz,
  paid_method    text,
  paid_reference text,
  voided_at      timestamptz,
  voided_by      text,
  void_reason    text,
  CHECK (total_minor = subtotal_minor + CASE WHEN tax_inclusive THEN 0 ELSE tax_minor END),
  CHECK ((status = 'paid') = (paid_at IS NOT NULL)),
  CHECK ((status = 'void') = (voided_at IS NOT NULL))
);
CREATE INDEX receipts_by_user ON receipts (user_name, id);
CREATE INDEX receipts_by_status ON receipts (status, id);
CREATE INDEX receipts_paid ON receipts (paid_at) WHERE status = 'paid';

CREATE TABLE receipt_lines (
  receipt_id        bigint NOT NULL REFERENCES receipts DEFERRABLE INITIALLY DEFERRED,
  position          integer NOT NULL,
  tier              text NOT NULL,
  resource          text NOT NULL CHECK (resource IN ('cpu', 'gpu', 'mem')),
  gpu_type          text,
  rate_id           integer NOT NULL REFERENCES rates,
  rate_micro        bigint NOT NULL,
  share_millionths  bigint NOT NULL,
  -- Base units (seconds, MiB-seconds, …) and how many of them make one hour unit.
  quantity          numeric(40) NOT NULL,
  base_per_hour     bigint NOT NULL,
  amount_minor      bigint NOT NULL,
  PRIMARY KEY (receipt_id, position)
);

CREATE TABLE receipt_items (
  receipt_id      bigint NOT NULL REFERENCES receipts DEFERRABLE INITIALLY DEFERRED,
  cluster         text COLLATE "C" NOT NULL,
  raw_job_id      text COLLATE "C" NOT NULL,
  submit_at       timestamptz NOT NULL,
  -- False once the receipt is void: only then may the job stand on another receipt.
  active          boolean NOT NULL,
  job_id          text NOT NULL,
  job_name        text NOT NULL,
  account         text NOT NULL,
  partition       text NOT NULL,
  state           text NOT NULL,
  end_at          timestamptz NOT NULL,
  elapsed_seconds bigint NOT NULL,
  tier            text NOT NULL,
  charge_kind     text NOT NULL CHECK (charge_kind IN ('priced', 'free', 'nothing')),
  free_reason     text,
  rate_id         integer REFERENCES rates,
  rule_set_id     integer NOT NULL REFERENCES rule_sets,
  cpu_minor       bigint NOT NULL,
  gpu_minor       bigint NOT NULL,
  mem_minor       bigint NOT NULL,
  -- The charge's lines as they were priced: quantity, rate, share, amount.
  lines           jsonb NOT NULL,
  PRIMARY KEY (receipt_id, cluster, raw_job_id, submit_at)
);
-- What prevents double billing, whatever the code does.
CREATE UNIQUE INDEX receipt_items_one_receipt_per_job ON receipt_items (cluster, raw_job_id, submit_at) WHERE active;
CREATE INDEX receipt_items_by_end ON receipt_items (receipt_id, end_at);

CREATE FUNCTION receipt_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF ROW(NEW.id, NEW.number, NEW.user_name, NEW.cutoff_day, NEW.issued_at, NEW.issued_by, NEW.tier, NEW.accounts,
         NEW.currency, NEW.price_version, NEW.jobs, NEW.subtotal_minor, NEW.tax_label, NEW.tax_rate_micro, NEW.tax_inclusive,
         NEW.tax_minor, NEW.total_minor)
     IS DISTINCT FROM
     ROW(OLD.id, OLD.number, OLD.user_name, OLD.cutoff_day, OLD.issued_at, OLD.issued_by, OLD.tier, OLD.accounts,
         OLD.currency, OLD.price_version, OLD.jobs, OLD.subtotal_minor, OLD.tax_label, OLD.tax_rate_micro, OLD.tax_inclusive,
         OLD.tax_minor, OLD.total_minor) THEN
    RAISE EXCEPTION 'receipt % is issued and cannot be edited', OLD.number USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF OLD.status <> 'pending' AND NEW IS DISTINCT FROM OLD THEN
    RAISE EXCEPTION 'receipt % is % and cannot change', OLD.number, OLD.status USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER receipts_immutable BEFORE UPDATE ON receipts FOR EACH ROW EXECUTE FUNCTION receipt_is_immutable();
CREATE TRIGGER receipts_kept BEFORE DELETE OR TRUNCATE ON receipts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipt_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt_lines
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipt_items_kept BEFORE DELETE OR TRUNCATE ON receipt_items
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION receipt_item_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT (OLD.active AND NOT NEW.active)
     OR (to_jsonb(NEW) - 'active') IS DISTINCT FROM (to_jsonb(OLD) - 'active') THEN
    RAISE EXCEPTION 'a receipt item can only be released by voiding its receipt' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER receipt_items_immutable BEFORE UPDATE ON receipt_items FOR EACH ROW EXECUTE FUNCTION receipt_item_is_immutable();

-- Payments ------------------------------------------------------------------------------------------------------------

CREATE TABLE payments (
  id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  receipt_id          bigint NOT NULL REFERENCES receipts,
  provider            text NOT NULL,
  external_payment_id text NOT NULL,
  status              text NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'canceled')),
  amount_minor        bigint NOT NULL CHECK (amount_minor > 0),
  currency            text NOT NULL,
  checkout_url        text NOT NULL,
  created_at          timestamptz NOT NULL,
  created_by          text NOT NULL,
  settled_at          timestamptz,
  UNIQUE (provider, external_payment_id)
);
CREATE UNIQUE INDEX payments_one_open_checkout ON payments (receipt_id) WHERE status = 'pending';
CREATE UNIQUE INDEX payments_one_success ON payments (receipt_id) WHERE status = 'succeeded';
CREATE INDEX payments_by_receipt ON payments (receipt_id, id);

-- Every call of the webhook, with what was made of it.
CREATE TABLE payment_events (
  id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  provider            text NOT NULL,
  -- Null where the signature was wrong: nothing in such a body is believed.
  event_id            text,
  event_type          text,
  external_payment_id text,
  amount_minor        bigint,
  currency            text,
  received_at         timestamptz NOT NULL,
  verdict             text NOT NULL CHECK (verdict IN ('applied', 'replay', 'ignored', 'refused')),
  reason              text NOT NULL,
  body_sha256         bytea NOT NULL,
  -- Kept for signed calls only.
  body                bytea,
  payment_id          bigint REFERENCES payments
);
CREATE UNIQUE INDEX payment_events_applied_once ON payment_events (provider, event_id) WHERE verdict = 'applied';
CREATE INDEX payment_events_by_payment ON payment_events (payment_id);
CREATE INDEX payment_events_by_time ON payment_events (received_at);
CREATE TRIGGER payment_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- First prices: there to be replaced. Design: one rate per tier, no narrowing, all usage; every finished job is billed
-- for what it was allocated, no exemptions, full price for everybody.
INSERT INTO rates (tier, cpu_micro, gpu_micro, mem_micro, note, price_version, created_at, created_by) VALUES
  ('mu',      1250000, 42500000,  35000, 'Starting rate, please review', 1, now(), 'installation'),
  ('gov',     2000000, 65000000,  50000, 'Starting rate, please review', 1, now(), 'installation'),
  ('private', 4000000, 140000000, 100000, 'Starting rate, please review', 1, now(), 'installation');
INSERT INTO rule_sets (basis, exemptions, shares, note, price_version, created_at, created_by) VALUES
  ('allocated', '[]', '[]', 'Every finished job is billed for what it was allocated', 1, now(), 'installation');
INSERT INTO tier_rules (position, subject, pattern, tier) VALUES
  (10, 'account', 'mu', 'mu'), (11, 'account', 'mu-*', 'mu'),
  (20, 'account', 'gov', 'gov'), (21, 'account', 'gov-*', 'gov'),
  (30, 'account', 'co', 'private'), (31, 'account', 'co-*', 'private'),
  (90, 'account', '*', 'mu');
