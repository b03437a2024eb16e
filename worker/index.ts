export default { fetch: (): Response => new Response('landfall') }
