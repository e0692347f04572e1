import { describe, expect, it } from 'vitest'
import { PathRoutes } from '../../../cli/preview/path-routes.ts'

describe('the owner of a path', () => {
  const routes = new PathRoutes(['3000=/', '3001=/admin'], ['/api', '/admin/api/'])

  it.each([
    ['/', 3000],
    ['/index.html', 3000],
    ['/apis', 3000],
    ['/admin', 3001],
    ['/admin/users?x=/api', 3001],
    ['/admin/api', 3001],
    ['/administrator', 3000],
    ['/api', 'cluster'],
    ['/api?x', 'cluster'],
    ['/api/orders', 'cluster'],
    ['/admin/api/x', 'cluster'],
  ])('of %s is %s', (url, owner) => {
    expect(routes.ownerOf(url)).toEqual(owner === 'cluster' ? owner : { localPort: owner })
  })

  it('is the cluster where nobody is named', () => {
    expect(new PathRoutes([], []).ownerOf('/')).toBe('cluster')
    expect(new PathRoutes(['3000=/app'], []).ownerOf('/')).toBe('cluster')
  })

  it.each([[['x=/']], [['0=/']], [['70000=/']], [['3000=app']], [['3000=/', '3001=/']]])('%j is refused', (serve) => {
    expect(() => new PathRoutes(serve, [])).toThrow(expect.objectContaining({ code: 'bad-serve' }))
  })
})
