package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
)

func clusterKeyCommand(c *client) *cobra.Command {
	return &cobra.Command{Use: "key [FILE]", Short: "Make a fresh cluster key, for the masters and agents of a new cluster", Args: cobra.MaximumNArgs(1),
		Long: "key makes a random key and writes it to a new file that only you can read (0600), or to stdout. Copy\n" +
			"it to every machine of the cluster and name it there: master --key FILE, agent --key FILE. Whoever has it\n" +
			"can be any of them. No master is asked; `proffer up` makes its own.",
		Example: "  proffer cluster key /etc/proffer/key\n  proffer master --dir /var/lib/proffer/master --key /etc/proffer/key --expect m1:5052,m2:5052,m3:5052",
		RunE: func(_ *cobra.Command, args []string) error {
			key := credential.NewKey()
			if len(args) == 0 {
				_, err := fmt.Fprintln(c.io.out, key.Hex())
				return err
			}
			err := credential.WriteKeyFile(args[0], key)
			if errors.Is(err, fs.ErrExist) {
				return sdk.Errorf(sdk.CodeConflict, "", "%s exists already and is left as it is: a cluster keeps its key; name another file for another cluster", args[0])
			}
			return err
		}}
}

func clusterTokenCommand(c *client) *cobra.Command {
	var keyFile, principal string
	cmd := &cobra.Command{Use: "token [FILE]", Short: "Make an operator's token from the cluster key", Args: cobra.MaximumNArgs(1),
		Long: "token signs a token with the cluster key and writes it to a file that only you can read (0600), which\n" +
			"it replaces, or to stdout. It is good for every call at the masters of that key, under the name of\n" +
			"--principal, and as long as the key: name its file in PROFFER_TOKEN_FILE. No master is asked.",
		Example: "  proffer cluster token --key /etc/proffer/key ~/.proffer-token\n  PROFFER_TOKEN_FILE=~/.proffer-token PROFFER_ADDR=m1:5050,m2:5050 proffer status",
		RunE: func(_ *cobra.Command, args []string) error {
			if keyFile == "" {
				return usagef("--key: name the file with the cluster key that the masters were started with")
			}
			if err := sdk.ValidateID("--principal", principal); err != nil {
				return usageError{err}
			}
			key, err := credential.ReadKeyFile(keyFile)
			if err != nil {
				return err
			}
			token := key.Sign(credential.Claims{Kind: credential.KindOperator, Principal: principal, Issued: time.Now().Unix()})
			if len(args) == 0 {
				_, err := fmt.Fprintln(c.io.out, token)
				return err
			}
			if info, err := os.Lstat(args[0]); err == nil && !info.Mode().IsRegular() {
				return sdk.Errorf(sdk.CodeInvalid, "", "%s is not a regular file; name a file for the token", args[0])
			}
			return credential.WriteTokenFile(args[0], token)
		}}
	cmd.Flags().StringVar(&keyFile, "key", os.Getenv("PROFFER_MASTER_KEY"), "file with the cluster key (default $PROFFER_MASTER_KEY)")
	cmd.Flags().StringVar(&principal, "principal", "operator", "who the holder is to the masters, and in their logs")
	return cmd
}
