package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
	"golang.org/x/crypto/bcrypt"
)

// A made value is what a function made at random, with what it has to be.
type made struct {
	Kind string
	// Of a certificate: itself and its key, who signed it, and for whom it is.
	Cert, Key, CA, Name, Address string
	Days                         int
	// Of a hash or a cipher text.
	Password, Text, Output string
}

// checkMade says of each line that it reads what is wrong with it, or "ok".
func checkMade() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var m made
		must(json.Unmarshal(in.Bytes(), &m))
		if err := m.check(); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println("ok")
		}
	}
	must(in.Err())
}

func (m *made) check() error {
	switch m.Kind {
	case "certificate":
		return m.checkCertificate()
	case "bcrypt":
		return bcrypt.CompareHashAndPassword([]byte(m.Output), []byte(m.Password))
	case "aes":
		var out bytes.Buffer
		t := template.Must(template.New("").Funcs(sprig.TxtFuncMap()).Parse(`{{ decryptAES .Password .Output }}`))
		if err := t.Execute(&out, m); err != nil {
			return err
		}
		if out.String() != m.Text {
			return fmt.Errorf("decrypted as %q", out.String())
		}
		return nil
	}
	block, rest := pem.Decode([]byte(m.Key))
	if block == nil || len(rest) > 0 {
		return fmt.Errorf("no PEM: %q", m.Key)
	}
	switch m.Kind {
	case "rsa":
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err == nil && key.N.BitLen() != 4096 {
			err = fmt.Errorf("%d bits", key.N.BitLen())
		}
		return err
	case "ecdsa":
		_, err := x509.ParseECPrivateKey(block.Bytes)
		return err
	case "ed25519":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if _, ok := key.(ed25519.PrivateKey); err == nil && !ok {
			err = fmt.Errorf("%T", key)
		}
		return err
	case "dsa":
		var key struct {
			Version       int
			P, Q, G, Y, X *big.Int
		}
		if _, err := asn1.Unmarshal(block.Bytes, &key); err != nil {
			return err
		}
		if y := new(big.Int).Exp(key.G, key.X, key.P); y.Cmp(key.Y) != 0 || key.P.BitLen() != 2048 || key.Q.BitLen() != 256 {
			return fmt.Errorf("the numbers of the key do not fit")
		}
		return nil
	}
	return fmt.Errorf("no kind %q", m.Kind)
}

func (m *made) checkCertificate() error {
	pair, err := tls.X509KeyPair([]byte(m.Cert), []byte(m.Key))
	if err != nil {
		return err
	}
	certificate := pair.Leaf
	switch key := certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() != 2048 {
			return fmt.Errorf("%d bits", key.N.BitLen())
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return fmt.Errorf("%T", key)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(m.CA)) {
		return fmt.Errorf("no certificate of an authority")
	}
	for _, name := range []string{m.Name, m.Address} {
		options := x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: certificate.NotBefore.Add(time.Minute)}
		if _, err := certificate.Verify(options); err != nil {
			return err
		}
	}
	if lifetime := certificate.NotAfter.Sub(certificate.NotBefore); lifetime != time.Duration(m.Days)*24*time.Hour {
		return fmt.Errorf("is valid for %s", lifetime)
	}
	return nil
}
