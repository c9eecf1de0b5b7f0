// fastify PORT KEY: checks what our daemons check and keeps what it has verified (fast-jwt's cache).
import { readFileSync } from 'node:fs'
import fastify from 'fastify'
import jwt from '@fastify/jwt'

const [port, key] = process.argv.slice(2)
const app = fastify()
app.register(jwt, {
  secret: { public: readFileSync(key, 'utf8') },
  verify: {
    algorithms: ['RS256'],
    allowedIss: 'tasker-core',
    allowedAud: 'tasker-api',
    requiredClaims: ['exp', 'sub'],
    cache: 10000
  }
})
app.register(async part => {
  part.addHook('onRequest', async request => { await request.jwtVerify() })
  part.get('/v1/whoami', (request, reply) => { reply.type('text/plain').send('hello world\n') })
})
await app.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
