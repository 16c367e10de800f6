//! Databases from text to decision: what is lost for good is asked about, what reads is not.

use cmdai_schema::{Decision, Risk};

use super::support::{ids, plain};

const STOPPED: &[&str] = &[
    "psql -c 'DROP TABLE users'",
    "psql -h db1 -c 'TRUNCATE users'",
    "psql app <<'EOF'\nBEGIN;\nDELETE FROM users;\nCOMMIT;\nEOF",
    "psql -c \"DELETE FROM users WHERE true\"",
    "psql -c 'ALTER TABLE users DROP COLUMN email'",
    "psql -c \"ALTER USER eve WITH PASSWORD 'x'\"",
    "psql -c \"SELECT 'drop table '||t FROM x \\gexec\"",
    "sudo -u postgres psql -c 'DROP DATABASE app'",
    "docker exec db psql -U app -c 'DROP SCHEMA public CASCADE'",
    "echo 'DROP TABLE users' | mysql -u root app",
    "mysql app -e 'UPDATE users SET admin = 1'",
    "mysql -e 'RESET MASTER'",
    "sqlite3 app.db 'DELETE FROM users'",
    "sqlcmd -Q 'DROP DATABASE app'",
    "clickhouse-client -q 'TRUNCATE TABLE hits'",
    "mongosh app --eval 'db.users.deleteMany({})'",
    "redis-cli FLUSHALL",
    "redis-cli CONFIG SET dir /root/.ssh",
    "echo flush_all | nc cache 11211",
    "curl -XDELETE http://search:9200/_all",
    "curl -XPOST 'http://search:9200/logs/_delete_by_query' -d '{\"query\":{\"match_all\":{}}}'",
    "etcdctl del --prefix /",
    "kafka-topics --bootstrap-server b:9092 --delete --topic orders",
    "rabbitmqctl delete_vhost /prod",
    "rails db:drop",
    "php artisan migrate:fresh",
    "python3 manage.py flush --noinput",
    "npx prisma migrate reset --force",
    "flyway clean",
    "alembic downgrade base",
    "pg_restore --clean -d app app.dump",
    "mongorestore --drop dump",
    "restic forget --keep-last 1 --prune",
    "borg delete repo::monday",
    "dropdb app",
    "DROP TABLE users;",
    "db.users.drop()",
];

const CALM: &[&str] = &[
    "psql -c 'SELECT * FROM users'",
    "psql -c \"SELECT 'DROP TABLE users'\"",
    "psql -c 'EXPLAIN DELETE FROM users'",
    "psql -c 'DELETE FROM sessions WHERE expires < now()'",
    "psql -c 'BEGIN; DELETE FROM users; ROLLBACK'",
    "psql -c 'CREATE TEMP TABLE t AS SELECT 1; DROP TABLE t'",
    "psql app < schema.sql",
    "psql -f migrations/001.sql",
    "pg_dump app | psql copy",
    "psql -l",
    "mysql -e 'SHOW TABLES'",
    "mysqldump app > app.sql",
    "mysql app < app.sql",
    "sqlite3 app.db .schema",
    "sqlite3 /tmp/scratch.db 'DROP TABLE t'",
    "sqlite3 :memory: 'DROP TABLE t'",
    "mongosh app --eval 'db.users.countDocuments({})'",
    "redis-cli GET a",
    "redis-cli SET a 1",
    "redis-cli DEL session:4",
    "redis-cli INFO",
    "curl -s http://localhost:9200/_cat/indices",
    "curl -XPOST http://localhost:9200/logs/_search -d '{\"query\":{\"match_all\":{}}}'",
    "kafka-topics --bootstrap-server b:9092 --list",
    "rabbitmqctl list_queues",
    "rails db:migrate",
    "php artisan migrate:status",
    "python3 manage.py makemigrations",
    "npx prisma generate",
    "npx prisma migrate dev --name init",
    "alembic upgrade head",
    "flyway info",
    "restic snapshots",
    "restic backup .",
    "borg prune --dry-run --keep-daily 7 repo",
    "awk '{ print $1 }' drop.sql",
    "sed -i 's/DROP TABLE/TRUNCATE/' q.sql",
    "grep -r 'DROP TABLE' migrations",
    "echo 'DROP TABLE users' > migrations/down.sql",
    "git commit -m 'DROP TABLE users'",
    "truncate -s 0 build.log",
    "update-alternatives --list editor",
];

#[test]
fn losses_are_asked_about() {
    let mut wrong = Vec::new();
    for command in STOPPED {
        let judgement = plain(command);
        if !judgement.decision.interrupts() {
            wrong.push(format!(
                "{command}: {} {:?}",
                judgement.decision,
                ids(&judgement)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn readers_and_small_changes_run() {
    let mut wrong = Vec::new();
    for command in CALM {
        let judgement = plain(command);
        if judgement.decision.interrupts() {
            wrong.push(format!(
                "{command}: {} {:?}",
                judgement.decision,
                ids(&judgement)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A developer's own database is asked about; one whose name says production is refused.
#[test]
fn production_weighs_more() {
    assert_eq!(plain("rails db:drop").risk, Risk::High);
    assert_eq!(
        plain("psql -h prod-db -c 'TRUNCATE users'").decision,
        Decision::Deny
    );
}
