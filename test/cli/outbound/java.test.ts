import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ProxyServer } from '../../../cli/outbound/proxy-server.ts'
import { proxyVariables } from '../../../cli/outbound/proxy-variables.ts'
import { ClusterDouble } from './portable/support/cluster-double.ts'

const program = `
import java.io.*; import java.net.*; import java.net.http.*; import java.nio.charset.StandardCharsets;
public class Program {
  static String raw(Socket socket, String host) throws Exception {
    try (socket) {
      socket.getOutputStream().write(("GET /raw HTTP/1.0\\r\\nHost: " + host + "\\r\\n\\r\\n").getBytes());
      String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
      return all.substring(all.indexOf("\\r\\n\\r\\n") + 4);
    }
  }
  interface Step { String run() throws Exception; }
  static void say(String what, Step step) {
    String found;
    try { found = step.run(); } catch (Throwable error) { found = error.getClass().getSimpleName(); }
    System.out.println(what + "=" + found);
  }
  public static void main(String[] args) {
    String own = args[0];
    say("url", () -> new String(new URL("http://inventory/url").openStream().readAllBytes()));
    say("client", () -> HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create("http://inventory/client")).build(), HttpResponse.BodyHandlers.ofString()).body());
    say("socket", () -> raw(new Socket("inventory", 80), "inventory"));
    say("unresolved", () -> { Socket s = new Socket(); s.connect(InetSocketAddress.createUnresolved("inventory", 80)); return raw(s, "inventory"); });
    say("address", () -> raw(new Socket("10.0.0.7", 80), "inventory"));
    say("refused", () -> raw(new Socket("inventory", 81), "inventory"));
    say("own", () -> raw(new Socket("localhost", Integer.parseInt(own)), "own"));
    say("own-url", () -> new String(new URL("http://127.0.0.1:" + own + "/own").openStream().readAllBytes()));
    say("api", () -> new String(new URL("http://api.invalid/").openStream().readAllBytes()));
  }
}`

describe.skipIf(spawnSync('javac', ['-version']).status !== 0)('a JVM', () => {
  let cluster: ClusterDouble
  let proxy: ProxyServer
  let folder: string
  const server = http.createServer(({ headers, url }, response) => response.end(`${headers.host}${url}`))

  beforeAll(async () => {
    cluster = await ClusterDouble.start()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const place of ['inventory:80', '10.0.0.7:80', 'api.invalid:80']) cluster.places.set(place, port)
    cluster.places.set('inventory:81', 'ECONNREFUSED')
    proxy = new ProxyServer({
      dial: (to) => cluster.way.dial({ ...to }),
      up: async () => undefined,
      onFailure: () => undefined,
    })
    folder = await mkdtemp(join(tmpdir(), 'java-'))
    await writeFile(join(folder, 'Program.java'), program)
  })

  afterAll(async () => {
    proxy.close()
    server.close()
    await cluster.close()
    await rm(folder, { recursive: true })
  })

  it('finds the proxies by JAVA_TOOL_OPTIONS, and its own machine without them', async () => {
    const { JAVA_TOOL_OPTIONS } = proxyVariables(await proxy.listen(0), 'api.invalid', {})
    const { port } = server.address() as AddressInfo
    const child = spawn('java', [join(folder, 'Program.java'), String(port)], {
      env: { PATH: process.env.PATH, JAVA_TOOL_OPTIONS },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [out] = await Promise.all([text(child.stdout), once(child, 'close')])
    const said = Object.fromEntries(
      out
        .trim()
        .split('\n')
        .map((line) => line.split('=')),
    )
    expect(said).toEqual({
      url: 'inventory/url',
      client: 'inventory/client',
      socket: 'inventory/raw',
      unresolved: 'inventory/raw',
      address: 'inventory/raw',
      refused: 'SocketException',
      own: 'own/raw',
      'own-url': `127.0.0.1:${port}/own`,
      api: 'UnknownHostException',
    })
    expect(cluster.dialled).toEqual(expect.arrayContaining(['inventory:80', '10.0.0.7:80', 'inventory:81']))
  })
})
