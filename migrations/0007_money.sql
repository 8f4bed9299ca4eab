-- Runs from: 0006_payment_checks
--
-- Money that moves for a receipt, credit notes, refunds, disputes, webhooks that are kept before they are worked on, and
-- bank statements. What a receipt still asks for is `total_minor - credited_minor - received_minor`: above zero it waits
-- for payment, at zero it is paid, below zero somebody is owed money. The moves between the states are those of
-- src/billing/states.ts.

-- Webhooks -------------------------------------------------------------------------------------------------------------

-- Every call whose signature was right, kept before anything is made of it. What was made of it, each time, stands in
-- payment_events.
CREATE TABLE webhook_deliveries (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  provider        text NOT NULL,
  received_at     timestamptz NOT NULL,
  request_id      text,
  -- Those that the signature was checked with.
  headers         jsonb NOT NULL,
  body            bytea NOT NULL,
  -- `dead`: somebody has to look at it; `dismissed`: somebody did, and nothing is to be done.
  status          text NOT NULL CHECK (status IN ('waiting', 'done', 'dead', 'dismissed')),
  attempts        integer NOT NULL DEFAULT 0,
  -- Also the end of the lease of whoever works on it now.
  next_attempt_at timestamptz,
  reason          text NOT NULL DEFAULT '',
  CHECK ((status = 'waiting') = (next_attempt_at IS NOT NULL))
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at) WHERE status = 'waiting';
CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (id) WHERE status = 'dead';

CREATE FUNCTION delivery_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF ROW(NEW.id, NEW.provider, NEW.received_at, NEW.request_id, NEW.headers, NEW.body)
     IS DISTINCT FROM ROW(OLD.id, OLD.provider, OLD.received_at, OLD.request_id, OLD.headers, OLD.body) THEN
    RAISE EXCEPTION 'what a provider sent cannot be edited' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER webhook_deliveries_immutable BEFORE UPDATE ON webhook_deliveries
  FOR EACH ROW EXECUTE FUNCTION delivery_is_immutable();
CREATE TRIGGER webhook_deliveries_kept BEFORE DELETE OR TRUNCATE ON webhook_deliveries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE payment_events ADD COLUMN delivery_id bigint REFERENCES webhook_deliveries;
CREATE INDEX payment_events_by_delivery ON payment_events (delivery_id, id) WHERE delivery_id IS NOT NULL;

-- Payments -------------------------------------------------------------------------------------------------------------

ALTER TABLE payments
  -- Under which the provider speaks of refunds and disputes.
  ADD COLUMN reference text,
  -- When the provider was told, or said, that a checkout which we called off cannot be paid any more.
  ADD COLUMN closed_at timestamptz,
  ADD COLUMN close_attempts integer NOT NULL DEFAULT 0,
  ADD COLUMN close_next_at timestamptz,
  DROP CONSTRAINT payments_status_check,
  ADD CONSTRAINT payments_status_check
    CHECK (status IN ('pending', 'processing', 'succeeded', 'failed', 'canceled', 'expired'));
DROP INDEX payments_one_open_checkout;
CREATE UNIQUE INDEX payments_one_open_checkout ON payments (receipt_id) WHERE status IN ('pending', 'processing');
-- Money that came a second time came nevertheless: it is written down, and owed to the payer.
DROP INDEX payments_one_success;
DROP INDEX payments_to_check;
CREATE INDEX payments_to_check ON payments (checked_at NULLS FIRST, id) WHERE status IN ('pending', 'processing');
CREATE INDEX payments_settled ON payments (settled_at) WHERE status = 'succeeded';
CREATE INDEX payments_to_close ON payments (close_next_at NULLS FIRST, id)
  WHERE status IN ('canceled', 'expired') AND closed_at IS NULL;
CREATE INDEX payments_by_reference ON payments (provider, reference) WHERE reference IS NOT NULL;

CREATE FUNCTION payment_moves_legally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF ROW(NEW.id, NEW.receipt_id, NEW.provider, NEW.external_payment_id, NEW.amount_minor, NEW.currency, NEW.created_at)
     IS DISTINCT FROM
     ROW(OLD.id, OLD.receipt_id, OLD.provider, OLD.external_payment_id, OLD.amount_minor, OLD.currency, OLD.created_at) THEN
    RAISE EXCEPTION 'payment % was asked for and cannot be edited', OLD.external_payment_id
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NEW.status <> OLD.status AND NOT (CASE OLD.status
       WHEN 'pending' THEN true
       WHEN 'processing' THEN NEW.status IN ('succeeded', 'failed', 'canceled')
       WHEN 'succeeded' THEN false
       ELSE NEW.status = 'succeeded'
     END) THEN
    RAISE EXCEPTION 'payment % cannot go from % to %', OLD.external_payment_id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payments_move_legally BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION payment_moves_legally();

-- Refunds and disputes -------------------------------------------------------------------------------------------------

CREATE TABLE refunds (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  receipt_id         bigint NOT NULL REFERENCES receipts,
  -- Null: paid back by hand.
  payment_id         bigint REFERENCES payments,
  provider           text NOT NULL,
  -- Null until the provider has answered.
  external_refund_id text,
  -- `requested`: we have still to ask the provider; `pending`: it is on its way.
  status             text NOT NULL CHECK (status IN ('requested', 'pending', 'succeeded', 'failed')),
  amount_minor       bigint NOT NULL CHECK (amount_minor > 0),
  currency           text NOT NULL,
  reason             text NOT NULL,
  requested_at       timestamptz NOT NULL,
  requested_by       text NOT NULL,
  ended_at           timestamptz,
  failure            text,
  attempts           integer NOT NULL DEFAULT 0,
  next_attempt_at    timestamptz,
  UNIQUE (provider, external_refund_id),
  CHECK ((payment_id IS NULL) = (provider = 'manual')),
  CHECK (status NOT IN ('requested', 'pending') OR payment_id IS NOT NULL)
);
CREATE INDEX refunds_by_receipt ON refunds (receipt_id, id);
CREATE INDEX refunds_by_payment ON refunds (payment_id);
CREATE INDEX refunds_open ON refunds (next_attempt_at NULLS FIRST, id) WHERE status IN ('requested', 'pending');

CREATE FUNCTION refund_moves_legally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF ROW(NEW.id, NEW.receipt_id, NEW.payment_id, NEW.provider, NEW.amount_minor, NEW.currency, NEW.reason, NEW.requested_at,
         NEW.requested_by)
     IS DISTINCT FROM
     ROW(OLD.id, OLD.receipt_id, OLD.payment_id, OLD.provider, OLD.amount_minor, OLD.currency, OLD.reason, OLD.requested_at,
         OLD.requested_by) THEN
    RAISE EXCEPTION 'refund % was asked for and cannot be edited', OLD.id USING ERRCODE = 'insufficient_privilege';
  END IF;
  -- A bank may return a refund that had succeeded.
  IF NEW.status <> OLD.status AND NOT (CASE OLD.status
       WHEN 'requested' THEN true
       WHEN 'pending' THEN NEW.status IN ('succeeded', 'failed')
       WHEN 'succeeded' THEN NEW.status = 'failed'
       ELSE false
     END) THEN
    RAISE EXCEPTION 'refund % cannot go from % to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refunds_move_legally BEFORE UPDATE ON refunds FOR EACH ROW EXECUTE FUNCTION refund_moves_legally();
CREATE TRIGGER refunds_kept BEFORE DELETE OR TRUNCATE ON refunds FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE disputes (
  id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  receipt_id          bigint NOT NULL REFERENCES receipts,
  payment_id          bigint NOT NULL REFERENCES payments,
  provider            text NOT NULL,
  external_dispute_id text NOT NULL,
  status              text NOT NULL CHECK (status IN ('open', 'won', 'lost')),
  amount_minor        bigint NOT NULL CHECK (amount_minor > 0),
  currency            text NOT NULL,
  opened_at           timestamptz NOT NULL,
  ended_at            timestamptz,
  UNIQUE (provider, external_dispute_id)
);
CREATE INDEX disputes_by_receipt ON disputes (receipt_id, id);
CREATE INDEX disputes_by_payment ON disputes (payment_id);
CREATE INDEX disputes_open ON disputes (id) WHERE status = 'open';

-- Credit notes ---------------------------------------------------------------------------------------------------------

CREATE TABLE credit_note_counters (
  year integer PRIMARY KEY,
  last integer NOT NULL
);

CREATE TABLE credit_notes (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  number         text COLLATE "C" NOT NULL UNIQUE CHECK (number ~ '^CN-[0-9]{4}-[0-9]{6,}$'),
  receipt_id     bigint NOT NULL REFERENCES receipts,
  user_name      text COLLATE "C" NOT NULL REFERENCES users,
  issued_at      timestamptz NOT NULL,
  issued_by      text NOT NULL,
  reason         text NOT NULL CHECK (reason <> ''),
  -- All that is left of the receipt; amounts of single lines; or what corrections of its jobs are owed.
  scope          text NOT NULL CHECK (scope IN ('full', 'lines', 'corrections')),
  releases_jobs  boolean NOT NULL CHECK (NOT releases_jobs OR scope = 'full'),
  currency       text NOT NULL,
  subtotal_minor bigint NOT NULL CHECK (subtotal_minor >= 0),
  tax_minor      bigint NOT NULL CHECK (tax_minor >= 0),
  tax_inclusive  boolean NOT NULL,
  total_minor    bigint NOT NULL CHECK (total_minor > 0),
  CHECK (total_minor = subtotal_minor + CASE WHEN tax_inclusive THEN 0 ELSE tax_minor END)
);
CREATE INDEX credit_notes_by_receipt ON credit_notes (receipt_id, id);
CREATE TRIGGER credit_notes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_notes
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE credit_note_lines (
  credit_note_id   bigint NOT NULL REFERENCES credit_notes,
  position         integer NOT NULL,
  -- The receipt's line that is credited; null for its adjustments of earlier receipts, or for corrections.
  receipt_position integer,
  amount_minor     bigint NOT NULL CHECK (amount_minor <> 0),
  PRIMARY KEY (credit_note_id, position)
);
CREATE TRIGGER credit_note_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_note_lines
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Jobs whose corrections a credit note settles, each with what it gives back.
CREATE TABLE credit_note_jobs (
  credit_note_id bigint NOT NULL REFERENCES credit_notes,
  position       integer NOT NULL,
  user_name      text COLLATE "C" NOT NULL,
  cluster        text COLLATE "C" NOT NULL,
  raw_job_id     text COLLATE "C" NOT NULL,
  submit_at      timestamptz NOT NULL,
  job_id         text NOT NULL,
  job_name       text NOT NULL,
  correction_id  bigint NOT NULL REFERENCES corrections,
  amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
  -- False once the jobs of the receipt are free for billing again.
  active         boolean NOT NULL DEFAULT true,
  PRIMARY KEY (credit_note_id, position)
);
CREATE INDEX credit_note_jobs_by_job ON credit_note_jobs (cluster, raw_job_id, submit_at) WHERE active;
CREATE TRIGGER credit_note_jobs_kept BEFORE DELETE OR TRUNCATE ON credit_note_jobs
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER credit_note_jobs_immutable BEFORE UPDATE ON credit_note_jobs
  FOR EACH ROW EXECUTE FUNCTION receipt_item_is_immutable();

CREATE OR REPLACE FUNCTION adjusted_minor(of_cluster text, of_raw_job_id text, of_submit_at timestamptz, of_user text)
RETURNS bigint LANGUAGE sql STABLE SET enable_seqscan = off AS $$
  SELECT (coalesce((SELECT sum(a.amount_minor) FROM receipt_adjustments a
                    WHERE a.cluster = of_cluster AND a.raw_job_id = of_raw_job_id AND a.submit_at = of_submit_at AND a.active
                      AND a.user_name = of_user), 0)
        - coalesce((SELECT sum(n.amount_minor) FROM credit_note_jobs n
                    WHERE n.cluster = of_cluster AND n.raw_job_id = of_raw_job_id AND n.submit_at = of_submit_at
                      AND n.active AND n.user_name = of_user), 0))::bigint
$$;

-- Bank statements ------------------------------------------------------------------------------------------------------

CREATE TABLE bank_statements (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  file_name   text NOT NULL,
  format      text NOT NULL,
  account     text NOT NULL,
  -- Of the file: the same file twice is the same statement.
  sha256      text NOT NULL UNIQUE,
  imported_at timestamptz NOT NULL,
  imported_by text NOT NULL,
  lines_read  integer NOT NULL,
  -- Lines that an earlier statement had already.
  lines_known integer NOT NULL,
  rejects     jsonb NOT NULL
);

CREATE TABLE bank_lines (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  statement_id   bigint NOT NULL REFERENCES bank_statements,
  position       integer NOT NULL,
  -- The same movement on two overlapping statements has the same key.
  line_key       text NOT NULL UNIQUE,
  booked_on      date NOT NULL,
  amount_minor   bigint NOT NULL CHECK (amount_minor <> 0),
  currency       text NOT NULL,
  text           text NOT NULL,
  bank_reference text NOT NULL,
  counterparty   text NOT NULL,
  -- `open`: somebody has to say what it is; `outgoing`: no money for us.
  status         text NOT NULL CHECK (status IN ('open', 'matched', 'dismissed', 'outgoing')),
  receipt_id     bigint REFERENCES receipts,
  -- Why it was not matched by itself, and the number of the receipt that it names, if it names one.
  doubt          text CHECK (doubt IN ('no_receipt', 'several_receipts', 'other_amount', 'other_currency', 'not_open', 'takes_back')),
  doubt_number   text,
  -- What somebody said who decided.
  note           text NOT NULL DEFAULT '',
  decided_by     text,
  decided_at     timestamptz,
  CHECK ((status = 'matched') = (receipt_id IS NOT NULL)),
  CHECK (status <> 'matched' OR amount_minor > 0)
);
CREATE INDEX bank_lines_by_statement ON bank_lines (statement_id, position);
CREATE INDEX bank_lines_open ON bank_lines (id) WHERE status = 'open';

-- Money ----------------------------------------------------------------------------------------------------------------

ALTER TABLE receipts
  -- Received less paid back, and credited: the sums of money_movements and credit_notes.
  ADD COLUMN received_minor bigint NOT NULL DEFAULT 0,
  ADD COLUMN credited_minor bigint NOT NULL DEFAULT 0,
  -- A credit note gave its jobs free for billing again.
  ADD COLUMN jobs_released boolean NOT NULL DEFAULT false;

CREATE TABLE money_movements (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  receipt_id   bigint NOT NULL REFERENCES receipts,
  kind         text NOT NULL,
  -- Positive: came in; negative: went out.
  amount_minor bigint NOT NULL,
  currency     text NOT NULL,
  at           timestamptz NOT NULL,
  recorded_by  text NOT NULL,
  -- What finance finds it by: the provider's payment id, the bank's entry, a voucher.
  reference    text NOT NULL,
  payment_id   bigint REFERENCES payments,
  refund_id    bigint REFERENCES refunds,
  dispute_id   bigint REFERENCES disputes,
  bank_line_id bigint REFERENCES bank_lines,
  -- Of a revert: what it takes back. Once.
  reverses_id  bigint UNIQUE REFERENCES money_movements,
  -- Of a move: the other receipt.
  other_receipt_id bigint REFERENCES receipts,
  CHECK (CASE kind
           WHEN 'payment' THEN amount_minor > 0 AND payment_id IS NOT NULL
           WHEN 'transfer' THEN amount_minor > 0 AND bank_line_id IS NOT NULL
           WHEN 'manual' THEN amount_minor > 0
           WHEN 'revert' THEN amount_minor < 0 AND reverses_id IS NOT NULL
           WHEN 'refund' THEN amount_minor < 0 AND refund_id IS NOT NULL
           WHEN 'refund_returned' THEN amount_minor > 0 AND refund_id IS NOT NULL
           WHEN 'chargeback' THEN amount_minor < 0 AND dispute_id IS NOT NULL
           WHEN 'chargeback_returned' THEN amount_minor > 0 AND dispute_id IS NOT NULL
           WHEN 'moved_out' THEN amount_minor < 0 AND other_receipt_id IS NOT NULL
           WHEN 'moved_in' THEN amount_minor > 0 AND other_receipt_id IS NOT NULL
           ELSE false
         END)
);
-- What keeps a payment from being counted twice, whatever the code does.
CREATE UNIQUE INDEX money_movements_once_per_payment ON money_movements (payment_id);
CREATE INDEX money_movements_by_receipt ON money_movements (receipt_id, id);
CREATE TRIGGER money_movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON money_movements
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

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
  IF OLD.status = 'void' AND (to_jsonb(NEW) - 'received_minor') IS DISTINCT FROM (to_jsonb(OLD) - 'received_minor') THEN
    RAISE EXCEPTION 'receipt % is void and cannot change', OLD.number USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (('pending', 'paid'), ('paid', 'pending'), ('pending', 'void')) THEN
    RAISE EXCEPTION 'receipt % cannot go from % to %', OLD.number, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.jobs_released AND NOT NEW.jobs_released THEN
    RAISE EXCEPTION 'the jobs of receipt % were released for good', OLD.number USING ERRCODE = 'insufficient_privilege';
  END IF;
  -- The version before this one knows no movements. While it still runs, what it settles is written down for it.
  IF OLD.status = 'pending' AND NEW.status = 'paid' AND NEW.received_minor = OLD.received_minor
     AND NEW.credited_minor = OLD.credited_minor AND NEW.paid_method IS DISTINCT FROM 'nothing_to_pay' THEN
    INSERT INTO money_movements (receipt_id, kind, amount_minor, currency, at, recorded_by, reference, payment_id)
    SELECT NEW.id, CASE WHEN p.id IS NULL THEN 'manual' ELSE 'payment' END,
           coalesce(p.amount_minor, NEW.total_minor - NEW.credited_minor - NEW.received_minor), NEW.currency, NEW.paid_at,
           CASE WHEN p.id IS NULL THEN 'system' ELSE 'provider:' || p.provider END, coalesce(NEW.paid_reference, ''), p.id
    FROM (SELECT 1) one LEFT JOIN payments p
      ON p.receipt_id = NEW.id AND p.status = 'succeeded' AND p.provider = NEW.paid_method
         AND p.external_payment_id = NEW.paid_reference
    WHERE p.id IS NOT NULL OR NEW.paid_method = 'manual';
    IF NOT FOUND THEN
      RAISE EXCEPTION 'receipt % cannot be paid without money', NEW.number USING ERRCODE = 'check_violation';
    END IF;
    NEW.received_minor := (SELECT sum(amount_minor) FROM money_movements WHERE receipt_id = NEW.id);
  END IF;
  RETURN NEW;
END $$;

-- What was settled before movements were kept.
INSERT INTO money_movements (receipt_id, kind, amount_minor, currency, at, recorded_by, reference, payment_id)
SELECT r.id, CASE WHEN p.id IS NULL THEN 'manual' ELSE 'payment' END, r.total_minor, r.currency, r.paid_at,
       CASE WHEN p.id IS NULL THEN 'system' ELSE 'provider:' || p.provider END, coalesce(r.paid_reference, ''), p.id
FROM receipts r LEFT JOIN payments p ON p.receipt_id = r.id AND p.status = 'succeeded'
WHERE r.status = 'paid' AND r.total_minor > 0
ORDER BY r.paid_at, r.id;
UPDATE receipts SET received_minor = total_minor WHERE status = 'paid' AND total_minor > 0;

ALTER TABLE receipts
  ADD CONSTRAINT receipts_status_follows_money
    CHECK (status = 'void' OR (status = 'paid') = (total_minor - credited_minor - received_minor <= 0)),
  ADD CONSTRAINT receipts_credited_check CHECK (credited_minor BETWEEN 0 AND total_minor),
  ADD CONSTRAINT receipts_void_or_credited CHECK (status <> 'void' OR credited_minor = 0);
CREATE INDEX receipts_overpaid ON receipts (id)
  WHERE (status = 'void' AND received_minor <> 0) OR (status = 'paid' AND total_minor - credited_minor - received_minor < 0);

-- The sums on a receipt are those of its movements and credit notes, at each commit.
CREATE FUNCTION receipt_sums_hold() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  checked bigint;
  wrong   text;
BEGIN
  IF TG_TABLE_NAME = 'receipts' THEN checked := NEW.id; ELSE checked := NEW.receipt_id; END IF;
  SELECT r.number INTO wrong FROM receipts r
  WHERE r.id = checked
    AND (r.received_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM money_movements WHERE receipt_id = r.id)
         OR r.credited_minor <> (SELECT coalesce(sum(total_minor), 0) FROM credit_notes WHERE receipt_id = r.id)
         OR EXISTS (SELECT FROM money_movements m WHERE m.receipt_id = r.id AND m.currency <> r.currency)
         OR EXISTS (SELECT FROM credit_notes n WHERE n.receipt_id = r.id AND n.currency <> r.currency));
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'the sums of receipt % are not those of its movements and credit notes', wrong
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER receipts_sums_hold AFTER INSERT OR UPDATE OF received_minor, credited_minor ON receipts
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION receipt_sums_hold();
CREATE CONSTRAINT TRIGGER money_movements_sums_hold AFTER INSERT ON money_movements
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION receipt_sums_hold();
CREATE CONSTRAINT TRIGGER credit_notes_sums_hold AFTER INSERT ON credit_notes
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION receipt_sums_hold();
