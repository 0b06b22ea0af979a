// Module EventModel.
