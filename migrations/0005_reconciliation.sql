-- Results of comparing our books with the scheduler's, and our books with themselves.

CREATE TABLE reconcile_runs (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  from_day         date NOT NULL,
  to_day           date NOT NULL,
  requested_by     text NOT NULL,
  started_at       timestamptz NOT NULL,
  finished_at      timestamptz,
  status           text NOT NULL CHECK (status IN ('running', 'balanced', 'broken', 'failed')),
  error            text,
  -- Days to compare, each once for every cluster, and how many of them are done.
  days_total       integer NOT NULL DEFAULT 0,
  days_done        integer NOT NULL DEFAULT 0,
  -- Last sign of life, by the database's own clock: a run whose process died does not stay "running".
  touched_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  breaks           bigint NOT NULL DEFAULT 0,
  -- Those of them that belong to no day of a cluster: totals of sreport, receipts.
  undated_breaks   bigint NOT NULL DEFAULT 0,
  -- The sums of our own books: usage, charges, receipts, payments. Null until they were made.
  books            jsonb,
  -- Last day up to which every cluster balanced, as of this run.
  reconciled_until date,
  CHECK ((status = 'running') = (finished_at IS NULL))
);
CREATE INDEX reconcile_runs_open ON reconcile_runs (id) WHERE status = 'running';

-- One row per cluster of a run: which source answered, what it cannot show, and the totals of sreport.
CREATE TABLE reconcile_clusters (
  run_id      bigint NOT NULL REFERENCES reconcile_runs ON DELETE CASCADE,
  cluster     text COLLATE "C" NOT NULL,
  source      text NOT NULL,
  -- Runs that this source cannot show, left out on both sides.
  hidden_runs bigint NOT NULL,
  totals      jsonb NOT NULL,
  PRIMARY KEY (run_id, cluster)
);

-- One row per cluster and day of a run: what we hold and what the scheduler says, over jobs that ended on that day.
CREATE TABLE reconcile_days (
  run_id  bigint NOT NULL REFERENCES reconcile_runs ON DELETE CASCADE,
  cluster text COLLATE "C" NOT NULL,
  day     date NOT NULL,
  -- False for a day that was not over yet.
  is_over boolean NOT NULL,
  -- {"jobs":"12","cpu_seconds":"…","gpu_seconds":"…","mem_mib_seconds":"…","node_seconds":"…","billing_seconds":"…"}
  ours    jsonb NOT NULL,
  theirs  jsonb NOT NULL,
  -- Those that belong to this day, of either kind of comparison; set when the run ends.
  breaks  bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (run_id, cluster, day)
);
CREATE INDEX reconcile_days_by_cluster ON reconcile_days (cluster, day, run_id);

-- What does not balance, each naming a job, a receipt or a sum. Bounded per run; `reconcile_runs.breaks` has the full count.
CREATE TABLE reconcile_breaks (
  run_id         bigint NOT NULL REFERENCES reconcile_runs ON DELETE CASCADE,
  position       integer NOT NULL,
  kind           text NOT NULL,
  cluster        text COLLATE "C",
  day            date,
  raw_job_id     text COLLATE "C",
  submit_at      timestamptz,
  job_id         text,
  user_name      text COLLATE "C",
  account        text COLLATE "C",
  receipt_id     bigint,
  receipt_number text,
  -- What was compared, what we have, what it should be; for people and for files.
  what           text NOT NULL,
  ours           text NOT NULL,
  theirs         text NOT NULL,
  PRIMARY KEY (run_id, position)
);
