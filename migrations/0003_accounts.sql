-- The account tree of each cluster as Slurm has it now, who belongs to which account, and who coordinates it.

CREATE TABLE slurm_accounts (
  cluster      text COLLATE "C" NOT NULL,
  account      text COLLATE "C" NOT NULL,
  parent       text COLLATE "C",
  description  text NOT NULL DEFAULT '',
  organization text NOT NULL DEFAULT '',
  PRIMARY KEY (cluster, account)
);
CREATE INDEX slurm_accounts_by_parent ON slurm_accounts (cluster, parent);

CREATE TABLE account_members (
  cluster   text COLLATE "C" NOT NULL,
  account   text COLLATE "C" NOT NULL,
  user_name text COLLATE "C" NOT NULL,
  PRIMARY KEY (cluster, account, user_name)
);
CREATE INDEX account_members_by_user ON account_members (user_name);

CREATE TABLE account_coordinators (
  cluster   text COLLATE "C" NOT NULL,
  account   text COLLATE "C" NOT NULL,
  user_name text COLLATE "C" NOT NULL,
  PRIMARY KEY (cluster, account, user_name)
);
CREATE INDEX account_coordinators_by_user ON account_coordinators (user_name);

-- `account_tree`: the pattern is held against the account and every account above it.
ALTER TABLE tier_rules DROP CONSTRAINT tier_rules_subject_check;
ALTER TABLE tier_rules ADD CONSTRAINT tier_rules_subject_check CHECK (subject IN ('account', 'username', 'account_tree'));

-- What a coordinator sees is summed by account.
CREATE INDEX usage_daily_by_account ON usage_daily (cluster, account, day);
