import './ui/tokens.css';
import './ui/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { spoken } from './i18n/language.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
await spoken.begin();
mount(App, { target });
