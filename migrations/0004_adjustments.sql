-- Corrections of billed jobs are settled on a later receipt. An adjustment is one signed line of that receipt: what a job
-- costs now, less what was billed for it so far. Derived, never carried along: `owed_minor` below is the one place that says
-- what is still owed. A correction is `open` exactly while something is owed for its job by (or to) its user; it says that
-- the job has to be looked at when that person gets the next receipt. Whoever changes one of the amounts holds the job's row.

CREATE TABLE receipt_adjustments (
  receipt_id          bigint NOT NULL REFERENCES receipts DEFERRABLE INITIALLY DEFERRED,
  position            integer NOT NULL,
  -- Whose receipt it is.
  user_name           text COLLATE "C" NOT NULL,
  cluster             text COLLATE "C" NOT NULL,
  raw_job_id          text COLLATE "C" NOT NULL,
  submit_at           timestamptz NOT NULL,
  job_id              text NOT NULL,
  job_name            text NOT NULL,
  account             text NOT NULL,
  -- The newest correction it settles: both versions of the record are there.
  correction_id       bigint NOT NULL REFERENCES corrections,
  -- The receipt that billed the job.
  original_receipt_id bigint NOT NULL REFERENCES receipts,
  billed_minor        bigint NOT NULL,
  correct_minor       bigint NOT NULL,
  -- Positive: a charge; negative: a credit. Less than the difference where a credit was larger than the receipt.
  amount_minor        bigint NOT NULL CHECK (amount_minor <> 0),
  -- False once this receipt is void.
  active              boolean NOT NULL DEFAULT true,
  PRIMARY KEY (receipt_id, position)
);
CREATE INDEX receipt_adjustments_by_job ON receipt_adjustments (cluster, raw_job_id, submit_at) WHERE active;
CREATE TRIGGER receipt_adjustments_kept BEFORE DELETE OR TRUNCATE ON receipt_adjustments
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipt_adjustments_immutable BEFORE UPDATE ON receipt_adjustments
  FOR EACH ROW EXECUTE FUNCTION receipt_item_is_immutable();

-- A receipt may consist of corrections only.
ALTER TABLE receipts DROP CONSTRAINT receipts_jobs_check;
ALTER TABLE receipts ADD COLUMN adjustments_minor bigint NOT NULL DEFAULT 0;
ALTER TABLE receipts ADD CONSTRAINT receipts_jobs_check CHECK (jobs > 0 OR (jobs = 0 AND adjustments_minor > 0));

CREATE OR REPLACE FUNCTION receipt_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF ROW(NEW.id, NEW.number, NEW.user_name, NEW.cutoff_day, NEW.issued_at, NEW.issued_by, NEW.tier, NEW.accounts,
         NEW.currency, NEW.price_version, NEW.jobs, NEW.subtotal_minor, NEW.adjustments_minor, NEW.tax_label,
         NEW.tax_rate_micro, NEW.tax_inclusive, NEW.tax_minor, NEW.total_minor)
     IS DISTINCT FROM
     ROW(OLD.id, OLD.number, OLD.user_name, OLD.cutoff_day, OLD.issued_at, OLD.issued_by, OLD.tier, OLD.accounts,
         OLD.currency, OLD.price_version, OLD.jobs, OLD.subtotal_minor, OLD.adjustments_minor, OLD.tax_label,
         OLD.tax_rate_micro, OLD.tax_inclusive, OLD.tax_minor, OLD.total_minor) THEN
    RAISE EXCEPTION 'receipt % is issued and cannot be edited', OLD.number USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF OLD.status <> 'pending' AND NEW IS DISTINCT FROM OLD THEN
    RAISE EXCEPTION 'receipt % is % and cannot change', OLD.number, OLD.status USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;

-- What a person's later receipts have settled of a job. Looked up by the key, also while a transaction that settles very
-- many jobs has just filled a table that the planner believes to be empty.
CREATE FUNCTION adjusted_minor(of_cluster text, of_raw_job_id text, of_submit_at timestamptz, of_user text)
RETURNS bigint LANGUAGE sql STABLE SET enable_seqscan = off AS $$
  SELECT coalesce(sum(a.amount_minor), 0)::bigint FROM receipt_adjustments a
  WHERE a.cluster = of_cluster AND a.raw_job_id = of_raw_job_id AND a.submit_at = of_submit_at AND a.active
    AND a.user_name = of_user
$$;

-- What a person still owes (negative: is owed) for a job: its cost now less what their receipt that holds says, less what
-- their later receipts have settled. A job that was renamed to somebody else stays the business of whoever was billed.
CREATE FUNCTION owed_minor(of_cluster text, of_raw_job_id text, of_submit_at timestamptz, of_user text)
RETURNS bigint LANGUAGE sql STABLE SET enable_seqscan = off AS $$
  SELECT coalesce((SELECT j.cpu_minor + j.gpu_minor + j.mem_minor - i.cpu_minor - i.gpu_minor - i.mem_minor
                   FROM receipt_items i
                   JOIN receipts r ON r.id = i.receipt_id AND r.user_name = of_user
                   JOIN jobs j ON j.cluster = i.cluster AND j.raw_job_id = i.raw_job_id AND j.submit_at = i.submit_at
                   WHERE i.cluster = of_cluster AND i.raw_job_id = of_raw_job_id AND i.submit_at = of_submit_at
                     AND i.active), 0)
       - adjusted_minor(of_cluster, of_raw_job_id, of_submit_at, of_user)
$$;

-- Why there is a correction: the record changed, or the receipt that billed the job was voided after an adjustment of it.
ALTER TABLE corrections ADD COLUMN reason text NOT NULL DEFAULT 'record_changed'
  CHECK (reason IN ('record_changed', 'receipt_voided'));

-- By the whole key: a repair of the accounting can leave very many of one person's open.
DROP INDEX corrections_open;
CREATE INDEX corrections_open ON corrections (user_name, cluster, raw_job_id, submit_at) WHERE status = 'open';

-- Corrections recorded so far: they belong to whoever got the receipt, and those that owe nothing are done.
UPDATE corrections c SET user_name = r.user_name FROM receipts r WHERE r.id = c.receipt_id AND r.user_name <> c.user_name;
UPDATE corrections SET status = 'settled'
  WHERE status = 'open' AND owed_minor(cluster, raw_job_id, submit_at, user_name) = 0;
