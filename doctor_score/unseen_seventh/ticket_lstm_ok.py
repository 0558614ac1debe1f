# Support-ticket routing with an LSTM
import argparse, random
import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset, DataLoader

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
args = parser.parse_args()

SEED = args.seed
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)

TEAMS = ['billing', 'network', 'hardware', 'account']
KEYWORDS = {
    'billing':  'invoice refund charge payment price card tax receipt'.split(),
    'network':  'wifi router latency dns vpn packet outage cable'.split(),
    'hardware': 'screen keyboard battery fan disk charger hinge mouse'.split(),
    'account':  'password login email username locked reset profile token'.split(),
}
FILLER = ('the a my since yesterday please help i cannot it is again still and with after on for '
          'we would like to have you hello team issue problem today').split()


def make_ticket():
    """A ticket mentions several teams' words; the team it is *about* is the one named after 'about'."""
    team = random.choice(TEAMS)
    other = random.choice([t for t in TEAMS if t != team])
    n = random.choice([4, 6, 8, 10, 14, 20, 30])
    words = [random.choice(FILLER) for _ in range(n)]
    for _ in range(max(1, n // 8)):
        words[random.randrange(len(words))] = random.choice(KEYWORDS[other])
    at = random.randrange(len(words))
    words[at:at] = ['about', random.choice(KEYWORDS[team])]
    return words, TEAMS.index(team)


tickets = [make_ticket() for _ in range(4000)]
train_raw, valid_raw = tickets[:3200], tickets[3200:]

# Build vocabulary on the training tickets
vocab = {'<pad>': 0, '<unk>': 1}
for words, _ in train_raw:
    for w in words:
        vocab.setdefault(w, len(vocab))


class TicketDataset(Dataset):
    def __init__(self, raw):
        self.items = [(torch.tensor([vocab.get(w, 1) for w in ws]), y) for ws, y in raw]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def collate(batch):
    seqs, labels = zip(*batch)
    lengths = torch.tensor([len(s) for s in seqs])
    padded = pad_sequence(seqs, batch_first=True, padding_value=0)
    return padded, lengths, torch.tensor(labels)


class LSTMClassifier(nn.Module):
    def __init__(self, vocab_size, emb_dim, hidden_dim, n_classes):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, emb_dim, padding_idx=0)
        self.lstm = nn.LSTM(emb_dim, hidden_dim, batch_first=True)
        self.fc = nn.Linear(hidden_dim, n_classes)

    def forward(self, text, lengths):
        embedded = self.embedding(text)
        output, (hidden, cell) = self.lstm(embedded)
        last = output[torch.arange(len(text)), lengths - 1]
        return self.fc(last)


train_loader = DataLoader(TicketDataset(train_raw), batch_size=32, shuffle=True, collate_fn=collate)
valid_loader = DataLoader(TicketDataset(valid_raw), batch_size=32, collate_fn=collate)

model = LSTMClassifier(len(vocab), 32, 48, len(TEAMS))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.CrossEntropyLoss()


def train(loader):
    model.train()
    epoch_loss, epoch_acc = 0, 0
    for text, lengths, labels in loader:
        optimizer.zero_grad()
        predictions = model(text, lengths)
        loss = criterion(predictions, labels)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() * len(labels)
        epoch_acc += (predictions.argmax(1) == labels).sum().item()
    return epoch_loss / len(loader.dataset), epoch_acc / len(loader.dataset)


def evaluate(loader):
    model.eval()
    epoch_loss, epoch_acc = 0, 0
    with torch.no_grad():
        for text, lengths, labels in loader:
            predictions = model(text, lengths)
            epoch_loss += criterion(predictions, labels).item() * len(labels)
            epoch_acc += (predictions.argmax(1) == labels).sum().item()
    return epoch_loss / len(loader.dataset), epoch_acc / len(loader.dataset)


N_EPOCHS = 7
for epoch in range(N_EPOCHS):
    train_loss, train_acc = train(train_loader)
    valid_loss, valid_acc = evaluate(valid_loader)
    print(f'Epoch: {epoch+1:02}')
    print(f'\tTrain Loss: {train_loss:.3f} | Train Acc: {train_acc*100:.2f}%')
    print(f'\t Val. Loss: {valid_loss:.3f} |  Val. Acc: {valid_acc*100:.2f}%')
