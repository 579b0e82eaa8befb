-- Who may do what in the database of Pinkpaper. As a superuser, in that database:
--
--     psql -d pinkpaper -f deploy/postgresql/roles.sql
--
-- first on the empty database (it makes the roles), and again each time after `pinkpaper database prepare` has brought
-- the tables to a new version (it grants what is granted on them). It may be run any number of times: what is not
-- granted here is taken back. Passwords are set apart from it (`\password pinkpaper_service`).

-- All or nothing: a service that goes on meanwhile has its rights before and after.
BEGIN;

DO $$
DECLARE
    role TEXT;
BEGIN
    FOREACH role IN ARRAY ARRAY['pinkpaper_owner', 'pinkpaper_service', 'pinkpaper_reader'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', role);
        END IF;
    END LOOP;
    EXECUTE format('ALTER DATABASE %I OWNER TO pinkpaper_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO pinkpaper_service, pinkpaper_reader', current_database());
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO pinkpaper_owner;
GRANT USAGE ON SCHEMA public TO pinkpaper_service, pinkpaper_reader;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, pinkpaper_service, pinkpaper_reader;

DO $$
DECLARE
    granted RECORD;
BEGIN
    FOR granted IN SELECT * FROM (VALUES
        -- The owner makes and changes the tables, with `pinkpaper database prepare`. The service runs without it.

        -- The service appends. It looks whether there is anything to prepare.
        ('pinkpaper_service', '_sqlx_migrations',   'SELECT'),
        ('pinkpaper_service', 'log_leaf',           'SELECT, INSERT'),
        ('pinkpaper_service', 'log_node',           'SELECT, INSERT'),
        ('pinkpaper_service', 'log_payload',        'SELECT, INSERT'),
        ('pinkpaper_service', 'log_idempotency',    'SELECT, INSERT'),
        ('pinkpaper_service', 'log_search',         'SELECT, INSERT'),
        ('pinkpaper_service', 'log_search_rule',    'SELECT, INSERT'),
        ('pinkpaper_service', 'log_checkpoint',     'SELECT, INSERT'),
        ('pinkpaper_service', 'policy_bundle',      'SELECT, INSERT'),
        ('pinkpaper_service', 'log_head',           'SELECT, UPDATE (size, epoch, facts_version, peaks, origin, policies)'),

        -- It changes facts; determinations it only withdraws, referrals it only closes.
        ('pinkpaper_service', 'register_authority', 'SELECT, INSERT, UPDATE (body)'),
        ('pinkpaper_service', 'register_object',    'SELECT, INSERT, UPDATE (body), DELETE'),
        ('pinkpaper_service', 'document',           'SELECT, INSERT, UPDATE (kind, body), DELETE'),
        ('pinkpaper_service', 'document_business',  'SELECT, INSERT, DELETE'),
        ('pinkpaper_service', 'determination',      'SELECT, INSERT, UPDATE (withdrawn_at)'),
        ('pinkpaper_service', 'referral',           'SELECT, INSERT, UPDATE (closed_at, closed_by)'),
        ('pinkpaper_service', 'referral_addressee', 'SELECT, INSERT'),

        -- It erases, which the tables let it do only by an act that is on record; holds it places and releases.
        ('pinkpaper_service', 'log_payload',        'DELETE'),
        ('pinkpaper_service', 'log_search',         'DELETE'),
        ('pinkpaper_service', 'log_search_rule',    'DELETE'),
        ('pinkpaper_service', 'log_idempotency',    'DELETE'),
        ('pinkpaper_service', 'determination',      'DELETE'),
        ('pinkpaper_service', 'referral',           'UPDATE (document, person)'),
        ('pinkpaper_service', 'log_erased',         'SELECT, INSERT'),
        ('pinkpaper_service', 'log_erased_group',   'SELECT, INSERT'),
        ('pinkpaper_service', 'log_hold',           'SELECT, INSERT, UPDATE (released_at), DELETE'),
        ('pinkpaper_service', 'log_retention',      'SELECT, UPDATE (events)'),

        -- The reader checks the log without a word of what was asked: leaves hold nothing personal.
        ('pinkpaper_reader',  'log_leaf',           'SELECT'),
        ('pinkpaper_reader',  'log_checkpoint',     'SELECT')
    ) AS rights (role, name, rights) LOOP
        IF to_regclass(format('public.%I', granted.name)) IS NOT NULL THEN
            EXECUTE format('GRANT %s ON public.%I TO %I', granted.rights, granted.name, granted.role);
        END IF;
    END LOOP;
END $$;

COMMIT;
