package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/crypto/bcrypt"

	"example.org/siem/api"
	"example.org/siem/backup"
	"example.org/siem/cache"
	"example.org/siem/core"
	"example.org/siem/detect"
	"example.org/siem/directory"
	"example.org/siem/enrich"
	"example.org/siem/export"
	"example.org/siem/feeds"
	"example.org/siem/hunt"
	"example.org/siem/ingest"
	"example.org/siem/memory"
	"example.org/siem/ml"
	"example.org/siem/notify"
	"example.org/siem/outbound"
	"example.org/siem/packs"
	"example.org/siem/relay"
	"example.org/siem/report"
	"example.org/siem/soar"
	"example.org/siem/storage"
)

const defaultTenant = "default"

// service is everything that serve starts and stops.
type service struct {
	cfg       *config
	db        *storage.DB
	stores    api.Stores
	retention *storage.Retention
	server    *api.Server
	detector  *detect.Detector
	responder *soar.Engine
	schedule  *soar.Scheduler
	scorer    *ml.Service
	feeds     *feeds.Poller
	lines     *ingest.Server
	pipeline  *ingest.Pipeline
	archive   *archive
	enricher  *enrich.Service
	syncer    *directory.Syncer
	notifier  *notify.Service
	hunter    *hunt.Hunter
	reporter  *report.Reporter
	rules     *cache.Rules
	packs     *packs.Installer
	puller    *ingest.Puller
	exporter  *export.Exporter
	keeper    *backup.Keeper
	reviewer  *ml.Reviewer
	relay     *relay.Relay
}

func (p *program) serve(ctx context.Context, cfg *config, _ []string) error {
	svc, err := start(cfg)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		return errors.Join(err, svc.stop())
	}
	requests, cancelRequests := context.WithCancel(context.Background())
	defer cancelRequests()
	srv := &http.Server{
		Handler:           svc.server,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
	}
	p.printf("listening on http://%s\n", listener.Addr())
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(listener) }()
	select {
	case err := <-failed:
		return errors.Join(err, svc.stop())
	case <-ctx.Done():
	}
	cfg.log.Info("shutting down", "grace", cfg.grace)
	return errors.Join(shutdown(srv, cfg.grace, cancelRequests), svc.stop())
}

// shutdown lets requests finish for a while, and then cancels them.
func shutdown(srv *http.Server, grace time.Duration, cancelRequests context.CancelFunc) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := srv.Shutdown(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	cancelRequests()
	last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if srv.Shutdown(last) == nil {
		return nil
	}
	return srv.Close()
}

// start opens the database and builds the server on it.
func start(cfg *config) (*service, error) {
	key, _, err := cfg.secret(cfg.signingKey, "signing.key")
	if err != nil {
		return nil, err
	}
	db, err := storage.Open(cfg.database(), cfg.readers, cfg.log)
	if err != nil {
		return nil, err
	}
	svc := &service{cfg: cfg, db: db, retention: storage.NewRetention(db)}
	svc.rules = cache.NewRules(storage.NewRuleStore(db), cfg.log)
	svc.stores = openStores(cfg, db, svc.rules, svc.retention)
	if cfg.clickhouse != "" {
		if err := svc.connect(); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	if err := svc.recover(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	engines, err := svc.build()
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	svc.server = api.New(api.Config{
		SigningKey: []byte(key), AccessTTL: cfg.accessTTL, RefreshTTL: cfg.refreshTTL,
		RequestTimeout: cfg.requestTimeout, MaxBody: cfg.maxBody, BackupDir: cfg.data,
	}, svc.stores, engines, db, cfg.log)
	return svc, svc.startWorkers()
}

// build makes the engines and joins them to the stores and to one another.
func (svc *service) build() (api.Engines, error) {
	cfg, stores := svc.cfg, svc.stores
	out := outbound.New(cfg.outboundAllow, 30*time.Second)
	var mail *detect.Mailer
	if cfg.smtp != "" {
		mail = detect.NewMailer(cfg.smtp, cfg.mailFrom, nil)
		if err := mail.Verify(); err != nil {
			return api.Engines{}, err
		}
	}
	bus := core.NewBus()
	acting := outbound.New(cfg.outboundAllow, core.LongestAction) // each action has its own timeout
	actions := detect.NewActions(stores.Actions, acting, acting, stores.Events,
		detect.Allowed{Mail: mail, Scripts: cfg.scripts, Timeouts: cfg.actionTimeouts}, cfg.log)
	svc.responder = soar.NewEngine(stores.Playbooks, stores.Actions, stores.Alerts, actions, cfg.playbookTimeout, 8, cfg.log)
	svc.responder.AskWith(stores.Approvals, 500*time.Millisecond)
	svc.schedule = soar.NewScheduler(svc.responder, defaultTenant, cfg.log)
	svc.scorer = ml.NewService(stores.Alerts, storage.NewModelStore(svc.db), cfg.log)
	svc.feeds = feeds.NewPoller(stores.Feeds, out, defaultTenant, cfg.log)
	engine := detect.NewEngine(detect.Stores{Rules: stores.Rules, Correlations: stores.Correlations, Exceptions: stores.Exceptions,
		Alerts: stores.Alerts, Assets: stores.Assets, Feeds: stores.Feeds, Events: stores.Events, Watchlists: stores.Watchlists,
		Cases: stores.Cases, Letters: storage.NewDeadLetterStore(svc.db)}, bus, svc.scorer, svc.responder.ExecuteForAlert, cfg.log)
	svc.enricher = enrich.NewService(stores.Assets, stores.Users, out, cfg.locator, 10*time.Minute, cfg.log)
	engine.EnrichWith(svc.enricher)
	svc.detector = detect.NewDetector(engine, 256, cfg.log)
	svc.syncer = directory.NewSyncer(stores.Directories, stores.Users, stores.Roles, stores.Sessions, out, cfg.directoryToken, defaultTenant, cfg.log)
	engines := api.Engines{Bus: bus, Detector: svc.detector, Runner: actions, Responder: svc.responder, Scorer: svc.scorer,
		Refresher: svc.feeds, Replayer: svc.detector, Enricher: svc.enricher, Syncer: svc.syncer, ParseLine: ingest.ParseLine}
	if mail != nil {
		engines.Mail = mail
	}
	svc.notifier = notify.NewService(stores.Subscriptions, stores.Alerts, stores.Cases, bus, engines.Mail, out, defaultTenant, cfg.log)
	svc.hunter = hunt.NewHunter(stores.Hunts, stores.Events, stores.Alerts, bus, defaultTenant, cfg.log)
	svc.reporter = report.NewReporter(report.Stores{Reports: stores.Reports, Events: stores.Events, Alerts: stores.Alerts, Cases: stores.Cases,
		Tenants: stores.Tenants}, engines.Mail, defaultTenant, cfg.log)
	engines.Notifier, engines.Hunter, engines.Reporter = svc.notifier, svc.hunter, svc.reporter
	svc.packs = packs.NewInstaller(stores.Packs, out, out, func() { svc.rules.Forget() }, cfg.log)
	svc.puller = ingest.NewPuller(stores.Sources, stores.Events, svc.detector, out, cfg.log)
	svc.exporter = export.NewExporter(stores.Exports, stores.Events, filepath.Join(cfg.data, "exports"), cfg.log)
	svc.keeper = backup.NewKeeper(svc.db, checkCopy(cfg.log), cfg.data, cfg.backupKeep, cfg.backupTarget, cfg.log)
	svc.reviewer = ml.NewReviewer(svc.scorer, stores.Feedback)
	engines.Reviewer, engines.Conductor = svc.reviewer, svc.responder
	engines.Packer, engines.Puller, engines.Exporter, engines.Keeper = svc.packs, svc.puller, svc.exporter, svc.keeper
	return engines, nil
}

// startWorkers starts what works without being asked.
func (svc *service) startWorkers() (err error) {
	cfg := svc.cfg
	svc.detector.Start(2, time.Minute)
	svc.retention.Start(cfg.sweepEvery)
	svc.feeds.Start(cfg.feedsEvery)
	svc.scorer.Start(defaultTenant, cfg.trainEvery)
	svc.reviewer.WatchDrift(defaultTenant, cfg.trainEvery/4)
	svc.schedule.Start(time.Minute)
	svc.enricher.Start(time.Minute)
	svc.syncer.Start(cfg.directoriesEvery)
	svc.notifier.Start(time.Minute)
	svc.hunter.Start(time.Minute)
	svc.reporter.Start(time.Hour)
	if cfg.auditTarget != "" {
		svc.relay = relay.New(storage.NewAuditLog(svc.db), cfg.auditTarget, cfg.log)
		svc.relay.Start(10 * time.Second)
	}
	svc.packs.Start(defaultTenant, 24*time.Hour)
	svc.puller.Start(time.Minute)
	svc.keeper.Start(cfg.backupEvery)
	if err := svc.exporter.Start(); err != nil {
		return err
	}
	svc.pipeline = ingest.NewPipeline(svc.stores.Events, svc.detector, defaultTenant, 10_000, 2, cfg.log)
	if svc.lines, err = ingest.Listen(cfg.syslogTCP, cfg.syslogUDP, svc.pipeline, cfg.log); err != nil {
		return errors.Join(err, svc.stop())
	}
	if tcp, udp := svc.lines.Addrs(); tcp+udp != "" {
		cfg.log.Info("taking lines", "tcp", tcp, "udp", udp)
	}
	return nil
}

func openStores(cfg *config, db *storage.DB, rules core.RuleStore, retention core.RetentionStore) api.Stores {
	events := storage.NewEventStore(db)
	var sessions core.SessionStore = storage.NewSessionStore(db)
	if cfg.memorySessions {
		sessions = memory.NewSessions()
	}
	return api.Stores{
		Users:        storage.NewUserStore(db),
		Roles:        cache.NewRoles(storage.NewRoleStore(db), 30*time.Second),
		Sessions:     sessions,
		Events:       events,
		Analyst:      events,
		Rules:        rules,
		Alerts:       storage.NewAlertStore(db),
		Correlations: storage.NewCorrelationStore(db),
		Actions:      storage.NewActionStore(db),
		Playbooks:    storage.NewPlaybookStore(db),
		Exceptions:   storage.NewExceptionStore(db),
		Searches:     storage.NewSearchStore(db),
		Feeds:        storage.NewFeedStore(db),
		Assets:       storage.NewAssetStore(db),
		Keys:         storage.NewKeyStore(db),
		Cases:        storage.NewCaseStore(db),
		Watchlists:   storage.NewWatchlistStore(db),
		Dashboards:   storage.NewDashboardStore(db),
		Hooks:        storage.NewHookStore(db),
		Approvals:    storage.NewApprovalStore(db),
		Rotator:      storage.NewKeyStore(db),
		Factors:      storage.NewFactorStore(db),
		Tenants:      storage.NewTenantStore(db),
		Directories:  storage.NewDirectoryStore(db),
		Audit:        storage.NewAuditLog(db),

		Subscriptions: storage.NewSubscriptionStore(db),
		Hunts:         storage.NewHuntStore(db),
		Reports:       storage.NewReportStore(db),
		Packs:         storage.NewPackStore(db),
		Sources:       storage.NewSourceStore(db),
		Exports:       storage.NewExportStore(db),
		Inventory:     storage.NewAssetStore(db),
		Feedback:      storage.NewFeedbackStore(db),
		Indicators:    storage.NewFeedStore(db),
		Runs:          storage.NewPlaybookStore(db),
		Similar:       storage.NewAlertStore(db),
		Retention:     retention,
	}
}

// checkCopy opens a backup as a database of its own, and looks for damage.
func checkCopy(log *slog.Logger) backup.Checker {
	return func(ctx context.Context, path string) ([]string, error) {
		copied, err := storage.OpenCopy(path, log)
		if err != nil {
			return []string{err.Error()}, nil
		}
		found, err := copied.Check(context.Background())
		return found, errors.Join(err, copied.Close())
	}
}

// recover puts right what a killed process left, and makes the first user.
func (svc *service) recover() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	aborted, err := svc.stores.Playbooks.AbortRuns(ctx)
	if err != nil {
		return err
	}
	if aborted > 0 {
		svc.cfg.log.Warn("playbooks did not finish in the last process", "runs", aborted)
	}
	return svc.ensureAdmin()
}

func (svc *service) ensureAdmin() error {
	users, err := svc.stores.Users.ListUsers(defaultTenant)
	if err != nil || len(users) > 0 {
		return err
	}
	password, made, err := svc.cfg.secret(svc.cfg.adminPassword, "admin.password")
	if err != nil {
		return err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if err != nil {
		return fmt.Errorf("password of the first user: %w", err)
	}
	if made {
		svc.cfg.log.Info("the password of the user admin is in the data directory", "file", "admin.password")
	}
	return svc.stores.Users.CreateUser(&core.User{Tenant: defaultTenant, Username: "admin", PasswordHash: hash, Roles: []string{"admin"}})
}

// stop ends what start started, in the opposite order.
func (svc *service) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), svc.cfg.grace)
	defer cancel()
	var errs []error
	if svc.lines != nil {
		errs = append(errs, svc.lines.Close())
	}
	svc.pipeline.Close()
	if stored, dropped := svc.pipeline.Counts(); stored+dropped > 0 {
		svc.cfg.log.Info("took lines", "stored", stored, "dropped", dropped)
	}
	svc.schedule.Stop()
	svc.detector.Stop()
	errs = append(errs, svc.server.Close(ctx), svc.responder.Wait(svc.cfg.grace))
	svc.enricher.Stop()
	svc.keeper.Stop()
	svc.exporter.Stop()
	svc.puller.Stop()
	svc.packs.Stop()
	svc.reporter.Stop()
	svc.hunter.Stop()
	svc.notifier.Stop()
	svc.syncer.Stop()
	svc.scorer.Stop()
	svc.feeds.Stop()
	svc.retention.Stop()
	if svc.relay != nil {
		errs = append(errs, svc.relay.Stop())
	}
	if svc.archive != nil {
		errs = append(errs, svc.archive.close())
	}
	return errors.Join(append(errs, svc.db.Close())...)
}
