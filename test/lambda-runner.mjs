// What Lambda does with a handler, as far as a test can: imports the module once, refuses callback handlers as nodejs24.x does, and
// answers one invocation after the other. Forked; events come in and answers go out as messages, logs go to stdout.
const { handler } = await import(process.argv[2]);
if (handler.length > 2) throw new Error('Runtime.CallbackHandlerDeprecated: the handler declares more than two parameters');

const TIMEOUT = Number(process.argv[3]);
let invocations = 0;
process.on('message', async (event) => {
  const deadline = Date.now() + TIMEOUT;
  const context = { awsRequestId: `invocation-${++invocations}`, getRemainingTimeInMillis: () => deadline - Date.now() };
  try {
    process.send({ answer: await handler(event, context) });
  } catch (error) {
    process.send({ error: error.message });
  }
});
process.send({ ready: true });
