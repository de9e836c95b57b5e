// What the one who deploys gives: the one place of the templates that reads the environment.
const { deploymentSettings } = require('./deployment-settings.ts');

module.exports = deploymentSettings(process.env);
