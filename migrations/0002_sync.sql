-- Live sync with Slurm: what was asked of which cluster, how far it is complete, and how its sources do.

-- One row per configured cluster. Everything that ended before `complete_until` was imported, as far as the scheduler
-- knew of it then.
CREATE TABLE sync_clusters (
  cluster             text COLLATE "C" PRIMARY KEY CHECK (cluster <> ''),
  complete_until      timestamptz,
  -- The source the last sync took: slurmrestd, sacct or file.
  source              text,
  last_success_at     timestamptz,
  last_error          text,
  last_error_at       timestamptz,
  -- Syncs in a row that failed.
  failures            integer NOT NULL DEFAULT 0,
  -- Unfinished jobs of ours that the scheduler no longer knows, at the last sync.
  vanished_jobs       bigint NOT NULL DEFAULT 0,
  accounts_synced_at  timestamptz,
  accounts_error      text,
  -- Who works on it now. A lease and not a lock, because a sync is many transactions; times are the database's own, so
  -- that hosts whose clocks differ agree.
  lease_holder        text,
  lease_until         timestamptz,
  lease_run           bigint,
  cancel_requested    boolean NOT NULL DEFAULT false
);

-- How each source of a cluster answered when it was last asked.
CREATE TABLE sync_sources (
  cluster    text COLLATE "C" NOT NULL,
  source     text NOT NULL CHECK (source IN ('slurmrestd', 'sacct', 'file')),
  -- Position in the cascade; the first that works is taken.
  position   integer NOT NULL,
  -- Where it is, without secrets.
  address    text NOT NULL,
  ok         boolean,
  checked_at timestamptz,
  version    text NOT NULL DEFAULT '',
  limits     jsonb NOT NULL DEFAULT '[]',
  error      text,
  PRIMARY KEY (cluster, source)
);

CREATE TABLE sync_runs (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cluster       text COLLATE "C" NOT NULL,
  requested_by  text NOT NULL,
  started_at    timestamptz NOT NULL,
  finished_at   timestamptz,
  status        text NOT NULL CHECK (status IN ('running', 'done', 'failed', 'canceled')),
  source        text,
  error         text,
  from_at       timestamptz,
  to_at         timestamptz,
  windows_total integer NOT NULL DEFAULT 0,
  windows_done  integer NOT NULL DEFAULT 0,
  rows          bigint NOT NULL DEFAULT 0,
  new           bigint NOT NULL DEFAULT 0,
  changed       bigint NOT NULL DEFAULT 0,
  unchanged     bigint NOT NULL DEFAULT 0,
  running       bigint NOT NULL DEFAULT 0,
  rejected      bigint NOT NULL DEFAULT 0
);
CREATE INDEX sync_runs_by_cluster ON sync_runs (cluster, id);
CREATE INDEX sync_runs_open ON sync_runs (cluster) WHERE status = 'running';

-- Which sync an import belongs to; null for files that somebody imported by hand.
ALTER TABLE import_runs ADD COLUMN sync_run_id bigint;
CREATE INDEX import_runs_by_sync ON import_runs (sync_run_id) WHERE sync_run_id IS NOT NULL;
CREATE INDEX import_runs_rejected ON import_runs (id) WHERE rejected > 0;

-- Files of a watched folder that were taken in, by content: a file is taken again when it has changed.
CREATE TABLE dropped_files (
  cluster       text COLLATE "C" NOT NULL,
  path          text NOT NULL,
  sha256        bytea NOT NULL,
  size_bytes    bigint NOT NULL,
  modified_at   timestamptz NOT NULL,
  imported_at   timestamptz NOT NULL,
  -- Null: it was read to its end.
  error         text,
  PRIMARY KEY (cluster, path)
);

-- Unfinished jobs of a cluster are looked after in every sync.
CREATE INDEX jobs_unfinished_by_cluster ON jobs (cluster, raw_job_id, submit_at) WHERE phase = 'active';

-- Rows that a sync could not read, once each however often they come again. Who looks sees what still needs repair.
CREATE TABLE sync_rejects (
  cluster       text COLLATE "C" NOT NULL,
  -- SHA-256 of source, reason and text.
  fingerprint   bytea NOT NULL,
  source        text NOT NULL,
  line          bigint NOT NULL,
  reason        text NOT NULL,
  text          text NOT NULL,
  first_seen_at timestamptz NOT NULL,
  last_seen_at  timestamptz NOT NULL,
  PRIMARY KEY (cluster, fingerprint)
);
CREATE INDEX sync_rejects_by_time ON sync_rejects (cluster, last_seen_at);
