"""Addresses of what works by itself: triggers, alerts, bucket syncs, migrations, and who is told of what happens."""

from starlette.routing import Route

from tamis.studio import activity, alerts, bucket_syncs, namespace_migrations, storage_connections, triggers, webhooks
from tamis.studio.routes import deletes, rules, shows, writes

_TRIGGER = "/automation/triggers/{trigger_id}"
_ALERT = "/automation/alerts/{alert_id}"
_SYNC = "/automation/syncs/{bucket_id}/{sync_id}"
_CONNECTION = "/automation/connections/{connection_id}"
_MIGRATION = "/automation/migrations/{migration_id}"
_WEBHOOK = "/automation/webhooks/{webhook_id}"


def automation_routes() -> list[Route]:
    return [*_activity(), *_triggers(), *_alerts(), *_syncs(), *_connections(), *_migrations(), *_webhooks()]


def _activity() -> list[Route]:
    return [shows("/automation/activity", activity.index), shows("/automation/activity/events", activity.events)]


def _triggers() -> list[Route]:
    return [
        shows("/automation", triggers.index),
        shows("/automation/triggers/new", triggers.new),
        writes("/automation/triggers", triggers.create),
        shows(_TRIGGER, triggers.show),
        writes(_TRIGGER, triggers.change),
        writes(f"{_TRIGGER}/run", triggers.run),
        writes(f"{_TRIGGER}/pause", triggers.pause),
        writes(f"{_TRIGGER}/resume", triggers.resume),
        deletes(f"{_TRIGGER}/delete", triggers.delete),
    ]


def _alerts() -> list[Route]:
    return [
        shows("/automation/alerts", alerts.index),
        shows("/automation/alerts/new", alerts.new),
        writes("/automation/alerts", alerts.create),
        shows(_ALERT, alerts.show),
        writes(_ALERT, alerts.change),
        writes(f"{_ALERT}/on", alerts.switch_on),
        writes(f"{_ALERT}/off", alerts.switch_off),
        deletes(f"{_ALERT}/delete", alerts.delete),
    ]


def _syncs() -> list[Route]:
    return [
        shows("/automation/syncs", bucket_syncs.index),
        shows("/automation/syncs/new", bucket_syncs.new),
        writes("/automation/syncs", bucket_syncs.create),
        shows(_SYNC, bucket_syncs.show),
        writes(_SYNC, bucket_syncs.change),
        writes(f"{_SYNC}/run", bucket_syncs.run),
        writes(f"{_SYNC}/pause", bucket_syncs.pause),
        writes(f"{_SYNC}/resume", bucket_syncs.resume),
        deletes(f"{_SYNC}/delete", bucket_syncs.delete),
    ]


def _connections() -> list[Route]:
    return [
        shows("/automation/connections", storage_connections.index),
        shows("/automation/connections/new", storage_connections.new),
        rules("/automation/connections", storage_connections.create),
        shows(_CONNECTION, storage_connections.show),
        rules(_CONNECTION, storage_connections.change),
        rules(f"{_CONNECTION}/test", storage_connections.test),
        shows(f"{_CONNECTION}/folder", storage_connections.folder),
        rules(f"{_CONNECTION}/suspend", storage_connections.suspend),
        rules(f"{_CONNECTION}/resume", storage_connections.resume),
        rules(f"{_CONNECTION}/delete", storage_connections.delete),
    ]


def _migrations() -> list[Route]:
    return [
        shows("/automation/migrations", namespace_migrations.index),
        shows("/automation/migrations/new", namespace_migrations.new),
        writes("/automation/migrations/validate", namespace_migrations.validate),
        writes("/automation/migrations", namespace_migrations.create),
        shows(_MIGRATION, namespace_migrations.show),
        writes(f"{_MIGRATION}/start", namespace_migrations.start),
        writes(f"{_MIGRATION}/cancel", namespace_migrations.cancel),
        deletes(f"{_MIGRATION}/delete", namespace_migrations.delete),
    ]


def _webhooks() -> list[Route]:
    return [
        shows("/automation/webhooks", webhooks.index),
        shows("/automation/webhooks/new", webhooks.new),
        rules("/automation/webhooks", webhooks.create),
        shows(_WEBHOOK, webhooks.show),
        rules(_WEBHOOK, webhooks.change),
        rules(f"{_WEBHOOK}/replay", webhooks.replay),
        rules(f"{_WEBHOOK}/delete", webhooks.delete),
    ]
