-- When the provider was last asked how a payment stands: an event that never comes must not leave a receipt waiting.
ALTER TABLE payments ADD COLUMN checked_at timestamptz;
CREATE INDEX payments_to_check ON payments (checked_at NULLS FIRST, id) WHERE status = 'pending';
