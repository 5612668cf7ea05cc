package main

import "context"

// example is a program that people start from.
const example = `package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"time"

	"example.org/siem/client"
	"example.org/siem/core"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	c := client.WithKey(os.Getenv("SIEM_URL"), os.Getenv("SIEM_KEY"))
	ready, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := c.WaitReadyContext(ready); err != nil {
		log.Fatal(err)
	}
	n, err := c.SendContext(ctx, []*core.Event{{Kind: "hello", Host: "here"}})
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("%d events taken", n)
}
`

// scaffold prints a program that sends events.
func (p *program) scaffold(_ context.Context, _ *config, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	p.printf("%s", example)
	return nil
}
