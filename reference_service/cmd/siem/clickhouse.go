package main

import (
	"errors"
	"time"

	"example.org/siem/storage"
)

// archive is what a ClickHouse server keeps for the service.
type archive struct {
	server *storage.ClickHouse
	alerts *storage.ClickHouseAlerts
	audit  *storage.ClickHouseAudit
}

// connect puts events, what becomes of alerts, and a copy of the audit log on
// the server that the settings name.
func (svc *service) connect() error {
	cfg := svc.cfg
	server, err := storage.OpenClickHouse(cfg.clickhouse, cfg.clickhouseAuth, cfg.log)
	if err != nil {
		return err
	}
	events := storage.NewClickHouseEvents(server)
	svc.archive = &archive{server: server, alerts: storage.NewClickHouseAlerts(svc.stores.Alerts, server), audit: storage.NewClickHouseAudit(svc.db, server)}
	svc.stores.Events, svc.stores.Analyst = events, events
	svc.stores.Alerts, svc.stores.Audit = svc.archive.alerts, svc.archive.audit
	svc.retention.Replace("events", events.DeleteEventsBefore)
	svc.retention.Replace("alerts", svc.archive.alerts.PurgeAlerts)
	svc.archive.alerts.Start(time.Second)
	svc.archive.audit.Start(10 * time.Second)
	return nil
}

// close sends what has not been sent, and hangs up.
func (a *archive) close() error {
	return errors.Join(a.alerts.Stop(), a.audit.Stop(), a.server.Close())
}
