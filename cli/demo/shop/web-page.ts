/** The shop's one page: order something, and see who answered. No file beside it, no address outside. */
export const webPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The corner shop</title>
<style>
  :root { color-scheme: light dark; --ink: #1d1a16; --paper: #faf7f2; --card: #fff; --line: #e6dfd4; --laptop: #0b7a75; --cluster: #7a3b9a; --bad: #b3261e }
  @media (prefers-color-scheme: dark) { :root { --ink: #efe9df; --paper: #171513; --card: #211e1b; --line: #38332d; --laptop: #4fd1c5; --cluster: #d0a2ee; --bad: #ff8a80 } }
  * { box-sizing: border-box }
  body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
  main { max-width: 46rem; margin: 0 auto; padding: 2rem 1rem 4rem }
  h1 { margin: 0; font-size: 1.9rem; letter-spacing: -.02em }
  p { margin: .25rem 0 1.5rem; opacity: .75 }
  .items { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem }
  button { padding: 1rem .5rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--card); color: inherit; font: inherit; cursor: pointer }
  button:hover, button:focus-visible { border-color: currentColor; outline: none }
  button span { display: block; font-size: 1.6rem }
  .share { display: flex; height: 2rem; margin: 2rem 0 .5rem; overflow: hidden; border-radius: .5rem; background: var(--line); color: #fff; font-weight: 600; font-size: .85rem }
  .share div { display: grid; place-items: center; min-width: 0; overflow: hidden; white-space: nowrap; transition: flex-grow .4s }
  .share .laptop { background: #0b7a75 } .share .cluster { background: #7a3b9a }
  table { width: 100%; border-collapse: collapse; font-size: .9rem }
  td { padding: .35rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top }
  td:nth-child(2) { font-weight: 600 } td:last-child { text-align: right; opacity: .6; white-space: nowrap }
  .laptop td:nth-child(2) { color: var(--laptop) } .cluster td:nth-child(2) { color: var(--cluster) } .bad td { color: var(--bad) }
</style>
<main>
  <h1>The corner shop</h1>
  <p>Every order goes from the pod <b>web</b> to the Service <b>orders</b>. Who answers?</p>
  <div class="items" id="items"></div>
  <div class="share" aria-label="who answered the last 30 orders"><div class="laptop" id="laptop"></div><div class="cluster" id="cluster"></div></div>
  <table><tbody id="feed"></tbody></table>
</main>
<script>
  const items = { espresso: '☕', cortado: '🥛', croissant: '🥐', baklava: '🍯' }
  for (const [item, sign] of Object.entries(items)) {
    const button = document.createElement('button')
    const icon = document.createElement('span')
    icon.textContent = sign
    button.append(icon, item)
    button.onclick = () => fetch('/api/order?item=' + item).catch(() => undefined)
    document.getElementById('items').append(button)
  }
  const feed = document.getElementById('feed')
  const kindOf = (answer) => answer.error ? 'bad' : answer.who === 'laptop' ? 'laptop' : 'cluster'
  const source = new EventSource('/api/feed')
  source.onopen = () => feed.replaceChildren()
  source.onmessage = ({ data }) => {
    const answer = JSON.parse(data)
    const row = document.createElement('tr')
    row.className = kindOf(answer)
    const cells = [new Date(answer.at).toLocaleTimeString(), answer.who ?? 'nobody', answer.error ?? answer.item + ': ' + answer.message + ' (' + answer.left + ' left)', (answer.ms ?? '-') + ' ms']
    for (const text of cells) row.insertCell().textContent = text
    feed.prepend(row)
    while (feed.rows.length > 30) feed.deleteRow(-1)
    for (const kind of ['laptop', 'cluster']) {
      const count = feed.querySelectorAll('tr.' + kind).length
      const bar = document.getElementById(kind)
      bar.style.flexGrow = count
      bar.textContent = count ? kind + ' ' + count : ''
    }
  }
</script>
</html>
`
