import type { OptionSpec } from '../command.ts'

/** Which requests: all options together, any value of one. Without them: everything. */
export const matchOptions: Readonly<Record<string, OptionSpec>> = {
  as: {
    type: 'string',
    placeholder: 'NAME',
    help: 'Your personal requests only: those with x-intercept: NAME, or baggage: intercept=NAME',
  },
  header: {
    type: 'string',
    many: true,
    placeholder: 'K=V',
    help: "Only requests with this header: 'k=v', 'k~regex' or 'k'; may be repeated (any of them)",
  },
  path: {
    type: 'string',
    many: true,
    placeholder: 'PATH',
    help: "Only this path: '/exact', '/prefix/*' or '~regex'; may be repeated",
  },
  method: { type: 'string', many: true, placeholder: 'METHOD', help: 'Only this method: GET; may be repeated' },
  query: {
    type: 'string',
    many: true,
    placeholder: 'K=V',
    help: "Only requests with this query parameter: 'k=v', 'k~regex' or 'k'; may be repeated",
  },
  host: {
    type: 'string',
    many: true,
    placeholder: 'HOST',
    help: "Only requests to this host: 'shop.example.com' or '*.example.com'; may be repeated",
  },
  grpc: {
    type: 'string',
    many: true,
    placeholder: 'SERVICE',
    help: "Only calls of this gRPC service or method: 'shop.Orders' or 'shop.Orders/List'; may be repeated",
  },
  percent: {
    type: 'string',
    placeholder: 'N',
    help: "Only so many percent: '5' of the clients, or '5:x-user' of the values of a header",
  },
}
