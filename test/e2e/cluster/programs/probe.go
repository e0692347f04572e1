// Says as one JSON object what it finds of a pod's surroundings. Arguments: which of the asks, default all.
// `probe many COUNT`: so many connections to the cache at once, as the cache counts them.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func full(name string) string { return name + "." + os.Getenv("NAMESPACE") + ".svc.cluster.local" }

func outcome(ask func() (any, error)) any {
	value, err := ask()
	if err == nil {
		return value
	}
	var name *net.DNSError
	var errno syscall.Errno
	switch {
	case errors.As(err, &name):
		return name.Err
	case errors.As(err, &errno):
		return errno.Error()
	}
	return err.Error()
}

func dial(host, port string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), 20*time.Second)
	if err == nil {
		conn.SetDeadline(time.Now().Add(60 * time.Second))
	}
	return conn, err
}

// One value of one row, by the protocol's version 3 with a password in clear text.
func sql(query string) (any, error) {
	conn, err := dial(os.Getenv("DB_HOST"), os.Getenv("DB_PORT"))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	message := func(kind string, body string) {
		head := binary.BigEndian.AppendUint32([]byte(kind), uint32(len(body)+4))
		conn.Write(append(head, body...))
	}
	message("", fmt.Sprintf("\x00\x03\x00\x00user\x00%s\x00database\x00%s\x00\x00", os.Getenv("DB_USER"), os.Getenv("DB_NAME")))
	asked, value := false, ""
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(conn, head); err != nil {
			return nil, err
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(conn, body); err != nil {
			return nil, err
		}
		switch head[0] {
		case 'E':
			return nil, errors.New(string(body))
		case 'R':
			if binary.BigEndian.Uint32(body) == 3 {
				message("p", os.Getenv("DB_PASSWORD")+"\x00")
			}
		case 'D':
			value = string(body[6:])
		case 'Z':
			if asked {
				return value, nil
			}
			asked = true
			message("Q", query+"\x00")
		}
	}
}

func cache() (any, error) {
	conn, err := dial(os.Getenv("CACHE_HOST"), os.Getenv("CACHE_PORT"))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	fmt.Fprint(conn, "SET go kept\r\nGET go\r\nQUIT\r\n")
	got, err := io.ReadAll(conn)
	return strings.Join(strings.Split(string(got), "\r\n")[:3], " "), err
}

func udp() (any, error) {
	conn, err := net.Dial("udp", "echo:53053")
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(conn, "hello")
	answer := make([]byte, 2048)
	count, err := conn.Read(answer)
	return string(answer[:count]), err
}

func address(network, name string) any {
	return outcome(func() (any, error) {
		found, err := net.DefaultResolver.LookupIP(context.Background(), network, name)
		if err != nil {
			return nil, err
		}
		return found[0].String(), nil
	})
}

func names() (any, error) {
	return map[string]any{
		"short":      address("ip4", "orders"),
		"namespaced": address("ip4", "orders."+os.Getenv("NAMESPACE")),
		"full":       address("ip4", full("orders")),
		"headless":   address("ip4", "db"),
		"pod":        address("ip4", "db-0.db"),
		"alias":      address("ip4", "partner"),
		"six":        address("ip6", "orders"),
		"none":       address("ip4", "no-such-name"),
	}, nil
}

func dialled(host, port string) func() (any, error) {
	return func() (any, error) {
		_, err := dial(host, port)
		return "connected", err
	}
}

var asks = map[string]func() (any, error){
	"env": func() (any, error) {
		return map[string]string{"greeting": os.Getenv("GREETING"), "password": os.Getenv("DB_PASSWORD")}, nil
	},
	"file": func() (any, error) {
		text, err := os.ReadFile(os.Getenv("INTERCEPT_ROOT") + "/etc/app/app.json")
		return string(text), err
	},
	"names": names,
	"srv": func() (any, error) {
		_, found, err := net.LookupSRV("sql", "tcp", full("db"))
		if err != nil {
			return nil, err
		}
		return fmt.Sprint(found[0].Port, " ", strings.TrimSuffix(found[0].Target, ".")), nil
	},
	"http": func() (any, error) {
		answer, err := http.Get("http://orders/")
		if err != nil {
			return nil, err
		}
		return answer.Header.Get("x-who"), nil
	},
	"sql":         func() (any, error) { return sql("select 40 + 2") },
	"cache":       cache,
	"udp":         udp,
	"refused":     dialled("db", "4"),
	"unreachable": dialled(os.Getenv("UNREACHABLE"), "9"),
}

// Opens them all, asks on each, and asks the cache how many it has while all are open.
func many(count int) map[string]any {
	conns := make([]net.Conn, count)
	wrong := make(chan string, count)
	var group sync.WaitGroup
	for index := range conns {
		group.Add(1)
		go func(index int) {
			defer group.Done()
			conn, err := dial(os.Getenv("CACHE_HOST"), os.Getenv("CACHE_PORT"))
			if err != nil {
				wrong <- err.Error()
				return
			}
			conns[index] = conn
			fmt.Fprintf(conn, "ECHO number-%d\r\n", index)
			reader := bufio.NewReader(conn)
			reader.ReadString('\n')
			if line, err := reader.ReadString('\n'); strings.TrimSpace(line) != fmt.Sprintf("number-%d", index) {
				wrong <- fmt.Sprint(line, err)
			}
		}(index)
	}
	group.Wait()
	close(wrong)
	failures := map[string]int{}
	for one := range wrong {
		failures[one]++
	}
	counted := outcome(func() (any, error) {
		conn, err := dial(os.Getenv("CACHE_HOST"), os.Getenv("CACHE_PORT"))
		if err != nil {
			return nil, err
		}
		fmt.Fprint(conn, "INFO clients\r\nQUIT\r\n")
		text, err := io.ReadAll(conn)
		_, rest, _ := strings.Cut(string(text), "connected_clients:")
		clients, _, _ := strings.Cut(rest, "\r\n")
		number, _ := strconv.Atoi(clients)
		return number - 1, err
	})
	return map[string]any{"wrong": failures, "counted": counted}
}

func main() {
	chosen := os.Args[1:]
	if len(chosen) == 2 && chosen[0] == "many" {
		count, _ := strconv.Atoi(chosen[1])
		json.NewEncoder(os.Stdout).Encode(many(count))
		return
	}
	if len(chosen) == 0 {
		for name := range asks {
			chosen = append(chosen, name)
		}
	}
	found := map[string]any{}
	for _, name := range chosen {
		found[name] = outcome(asks[name])
	}
	json.NewEncoder(os.Stdout).Encode(found)
}
