import java.io.DataInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Hashtable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.naming.directory.InitialDirContext;

/** Says as one JSON object what it finds of a pod's surroundings. Arguments: which of the asks, default all. */
public class Probe {
  interface Ask {
    Object run() throws Exception;
  }

  static String env(String name) {
    return System.getenv(name);
  }

  static String full(String name) {
    return name + "." + env("NAMESPACE") + ".svc.cluster.local";
  }

  static Object outcome(Ask ask) {
    try {
      return ask.run();
    } catch (Exception error) {
      return error.getClass().getSimpleName() + ": " + error.getMessage();
    }
  }

  static Socket dial(String host, String port) throws IOException {
    Socket socket = new Socket();
    socket.connect(new InetSocketAddress(host, Integer.parseInt(port)), 20_000);
    socket.setSoTimeout(60_000);
    return socket;
  }

  static void message(Socket socket, String type, byte[] body) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(type.length() + 4 + body.length);
    buffer.put(type.getBytes(StandardCharsets.US_ASCII)).putInt(body.length + 4).put(body);
    socket.getOutputStream().write(buffer.array());
  }

  /** One value of one row, by the protocol's version 3 with a password in clear text. */
  static String sql(String query) throws IOException {
    try (Socket socket = dial(env("DB_HOST"), env("DB_PORT"))) {
      DataInputStream in = new DataInputStream(socket.getInputStream());
      String login = "user\0" + env("DB_USER") + "\0database\0" + env("DB_NAME") + "\0\0";
      message(socket, "", ("\0\3\0\0" + login).getBytes(StandardCharsets.UTF_8));
      boolean asked = false;
      String value = null;
      while (true) {
        int type = in.readUnsignedByte();
        byte[] body = in.readNBytes(in.readInt() - 4);
        if (type == 'E') throw new IOException(new String(body, StandardCharsets.UTF_8));
        if (type == 'R' && ByteBuffer.wrap(body).getInt() == 3)
          message(socket, "p", (env("DB_PASSWORD") + "\0").getBytes(StandardCharsets.UTF_8));
        if (type == 'D') value = new String(body, 6, body.length - 6, StandardCharsets.UTF_8);
        if (type == 'Z') {
          if (asked) return value;
          asked = true;
          message(socket, "Q", (query + "\0").getBytes(StandardCharsets.UTF_8));
        }
      }
    }
  }

  static String cache() throws IOException {
    try (Socket socket = dial(env("CACHE_HOST"), env("CACHE_PORT"))) {
      socket.getOutputStream().write("SET java kept\r\nGET java\r\nQUIT\r\n".getBytes(StandardCharsets.US_ASCII));
      String got = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return String.join(" ", Arrays.copyOf(got.split("\r\n"), 3));
    }
  }

  static String udp() throws IOException {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.setSoTimeout(20_000);
      socket.send(new DatagramPacket("hello".getBytes(), 5, new InetSocketAddress("echo", 53053)));
      DatagramPacket answer = new DatagramPacket(new byte[2048], 2048);
      socket.receive(answer);
      return new String(answer.getData(), 0, answer.getLength(), StandardCharsets.UTF_8);
    }
  }

  static Object address(Class<? extends InetAddress> family, String name) {
    return outcome(() -> {
      for (InetAddress found : InetAddress.getAllByName(name))
        if (family.isInstance(found)) return found.getHostAddress();
      return "none of this family";
    });
  }

  static Map<String, Object> names() {
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("short", address(Inet4Address.class, "orders"));
    found.put("namespaced", address(Inet4Address.class, "orders." + env("NAMESPACE")));
    found.put("full", address(Inet4Address.class, full("orders")));
    found.put("headless", address(Inet4Address.class, "db"));
    found.put("pod", address(Inet4Address.class, "db-0.db"));
    found.put("alias", address(Inet4Address.class, "partner"));
    found.put("six", address(Inet6Address.class, "orders"));
    found.put("none", address(Inet4Address.class, "no-such-name"));
    return found;
  }

  static String srv() throws Exception {
    Hashtable<String, String> settings = new Hashtable<>();
    settings.put("java.naming.factory.initial", "com.sun.jndi.dns.DnsContextFactory");
    Object record = new InitialDirContext(settings)
        .getAttributes(full("_sql._tcp.db"), new String[] {"SRV"}).get("SRV").get();
    String[] fields = record.toString().split(" ");
    return fields[2] + " " + fields[3].replaceAll("\\.$", "");
  }

  static Object shut(Socket socket) throws IOException {
    socket.close();
    return "connected";
  }

  static String json(Object value) {
    if (value instanceof Map<?, ?> map) {
      List<String> fields = new ArrayList<>();
      map.forEach((name, one) -> fields.add(json(name) + ":" + json(one)));
      return "{" + String.join(",", fields) + "}";
    }
    String text = String.valueOf(value).replace("\\", "\\\\").replace("\"", "\\\"");
    return "\"" + text.replace("\n", "\\n").replace("\0", " ") + "\"";
  }

  public static void main(String[] arguments) {
    Map<String, Ask> asks = new LinkedHashMap<>();
    asks.put("env", () -> Map.of("greeting", env("GREETING"), "password", env("DB_PASSWORD")));
    String root = env("INTERCEPT_ROOT") == null ? "" : env("INTERCEPT_ROOT");
    asks.put("file", () -> Files.readString(Path.of(root + "/etc/app/app.json")));
    asks.put("names", Probe::names);
    asks.put("srv", Probe::srv);
    asks.put("http", () -> URI.create("http://orders/").toURL().openConnection().getHeaderField("x-who"));
    asks.put("sql", () -> sql("select 40 + 2"));
    asks.put("cache", Probe::cache);
    asks.put("udp", Probe::udp);
    asks.put("refused", () -> shut(dial("db", "4")));
    asks.put("unreachable", () -> shut(dial(env("UNREACHABLE"), "9")));
    Map<String, Object> found = new LinkedHashMap<>();
    for (String name : arguments.length > 0 ? List.of(arguments) : asks.keySet()) found.put(name, outcome(asks.get(name)));
    System.out.println(json(found));
  }
}
